"""Runs a long piece of work in an interpreter of its own: its memory is given back, it can be stopped at any moment, and the page stays
responsive while torch is imported and a graph is traced.

`in_child(function, {...})` yields what the function reports through its `progress` argument and raises the `VlaDemoError` it raised. The
two processes exchange JSON lines over the child's standard output. Knows nothing of the work itself.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NoReturn

from vla_demo.core.errors import Stopped, VlaDemoError, error_from_message, error_message
from vla_demo.workbench.progress import Preparing

__all__ = ["in_child"]

SECONDS_TO_TIDY_UP = 10.0
LINES_OF_LOG = 15


def in_child(work: Callable[..., object], arguments: Mapping[str, str | None]) -> Iterator[Preparing]:
    """Run `work(**arguments, progress=...)`; `work` is a function of a module, found there by its name.

    Closing the iterator stops the work, which gets some seconds to remove what is half done.

    Raises what the work raised, if it is a `VlaDemoError`; anything else becomes one, with the end of what the child had printed.
    """
    target = f"{work.__module__}:{work.__qualname__}"
    command = [sys.executable, "-m", __name__, target, json.dumps(arguments)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield from _read_messages(child)
        finally:
            _end(child)
        if child.returncode != 0:
            raise VlaDemoError(f"{target} ended with code {child.returncode}:\n{_tail(log)}")


def _read_messages(child: "subprocess.Popen[str]") -> Iterator[Preparing]:
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            message = json.loads(line)
            if "error" in message:
                raise error_from_message(message)
            yield Preparing(message["text"], message["fraction"])
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

    def send(message: Mapping[str, Any]) -> None:
        parent.write(json.dumps(message) + "\n")
        parent.flush()

    module, _, function = target.partition(":")
    try:
        work = getattr(importlib.import_module(module), function)
        work(**arguments, progress=lambda text, fraction=None: send({"text": text, "fraction": fraction}))
    except VlaDemoError as error:
        send(error_message(error))
    return 0


def _stop(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not disturb the tidying up
    raise Stopped("asked to stop")


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1], json.loads(sys.argv[2])))
