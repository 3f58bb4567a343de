"""Work for a child process: what an export looks like from outside, without torch."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.tiny_packages import tiny_act_package
from tests.waiting import stall
from vla_demo.core.errors import ParityError
from vla_demo.core.folders import whole_folder

Tell = Callable[..., None]


def export(source: str, out: str, revision: str | None, progress: Tell) -> None:
    """Counts its calls in a file beside the package's folder."""
    print("something a library prints to standard output")
    progress("cutting vision", 0.25)
    with whole_folder(Path(out)) as workshop:
        tiny_act_package(workshop / "package")
        for file in (workshop / "package").iterdir():
            file.rename(workshop / file.name)
        (workshop / "package").rmdir()
    with (Path(out).parent / "calls").open("a") as calls:
        calls.write(f"{source}\n")
    progress("proving parity")


def fail(progress: Tell) -> None:
    raise ParityError("vision is off by 0.3")


def break_down(progress: Tell) -> None:
    print("the last words", file=sys.stderr)
    raise RuntimeError("a bug")


def take_forever(out: str, progress: Tell) -> None:
    with whole_folder(Path(out)):
        progress(str(os.getpid()))
        stall(600)


def begin_and_wait(source: str, out: str, revision: str | None, progress: Tell) -> None:
    with whole_folder(Path(out)):
        progress("begun")
        stall(600)
