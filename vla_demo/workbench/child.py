"""Runs a long piece of work in an interpreter of its own: its memory is given back, it can be stopped at any moment, and the page stays
responsive while torch is imported and a graph is traced.

`in_child("package.module:function", {...})` yields what the function reports through its `progress` argument and raises the `VlaDemoError`
it raised. The two processes speak JSON lines over the child's standard output. Knows nothing of the work itself.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from vla_demo.core import errors
from vla_demo.core.errors import Stopped, VlaDemoError
from vla_demo.workbench.progress import Preparing

__all__ = ["in_child"]

SECONDS_TO_TIDY_UP = 10.0
LINES_OF_LOG = 15


def in_child(target: str, arguments: Mapping[str, str | None]) -> Iterator[Preparing]:
    """Run `target(**arguments, progress=...)`. Closing the iterator stops the work, which gets some seconds to remove what is half done.

    Raises what the work raised, if it is a `VlaDemoError`; anything else becomes one, with the end of what the child had printed.
    """
    command = [sys.executable, "-m", "vla_demo.workbench.child", target, json.dumps(arguments)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield from _listen(child)
        finally:
            _end(child)
        if child.returncode != 0:
            raise VlaDemoError(f"{target} ended with code {child.returncode}:\n{_tail(log)}")


def _listen(child: "subprocess.Popen[str]") -> Iterator[Preparing]:
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            said = json.loads(line)
            if "error" in said:
                raise getattr(errors, said["error"])(said["text"])
            yield Preparing(said["text"], said["fraction"])
    child.wait()


def _end(child: "subprocess.Popen[str]") -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(SECONDS_TO_TIDY_UP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tail(log: IO[str]) -> str:
    log.seek(0)
    return "\n".join(log.read().strip().splitlines()[-LINES_OF_LOG:])


def _run(target: str, arguments: Mapping[str, str | None]) -> int:
    """In the child: what the work prints goes to standard error, so that only messages reach the parent."""
    parent = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the parent passes it on, once
    signal.signal(signal.SIGTERM, _stop)

    def tell(message: Mapping[str, Any]) -> None:
        parent.write(json.dumps(message) + "\n")
        parent.flush()

    module, _, function = target.partition(":")
    try:
        work = getattr(importlib.import_module(module), function)
        work(**arguments, progress=lambda text, fraction=None: tell({"text": text, "fraction": fraction}))
    except VlaDemoError as error:
        tell({"error": _known_name(error), "text": str(error)})
    return 0


def _stop(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not disturb the tidying up
    raise Stopped("asked to stop")


def _known_name(error: VlaDemoError) -> str:
    """The closest class that the parent can raise."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in errors.__all__)


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1], json.loads(sys.argv[2])))
