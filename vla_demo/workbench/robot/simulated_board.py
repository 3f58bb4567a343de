"""A board on this machine, with the twin as its robot: `serve_board` as a child process on loopback, with a token made for it.

One for all visitors. It begins when the first one asks, and ends when nobody is connected any more, or when this program ends, however
that comes about: the child listens for the end of its standard input.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

from vla_demo.core.errors import BoardError, MissingPiece, VlaDemoError, error_from_message
from vla_demo.core.storage import cache_folder
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot import serve_board
from vla_demo.workbench.robot.link import RobotLink, connect_robot

__all__ = ["SimulatedBoard"]

START_SECONDS = 90  # a busy machine loads MuJoCo slowly
LOG = "arm.log"
_PREFIX = "vla-board-"  # then the number of the process that made it


class SimulatedBoard:
    """Making one starts nothing."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._address = ""
        self._links: set[RobotLink] = set()

    @property
    def log(self) -> Path | None:
        """What the twin's arm did, 60 times a second, in 13 little-endian doubles; None while no board runs."""
        return None if self._folder is None else Path(self._folder.name) / LOG

    def connect(self, holder: str) -> Iterator[Preparing | RobotLink]:
        """Progress while it starts, then a link. Raises `BoardError`, `MissingPiece`."""
        while not self._turn.acquire(timeout=0.5):
            yield Preparing("Waiting for the simulated board that is being started")
        try:
            if self._child is None or self._child.poll() is not None:
                yield from self._start()
            link = connect_robot(self._address, self._token(), holder)
            self._links.add(link)
        finally:
            self._turn.release()
        link.on_close(lambda: self._leave(link))
        yield link

    def _start(self) -> Iterator[Preparing]:
        _remove_left_folders()
        self._folder = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-")
        place = Path(self._folder.name)
        (place / "token").touch(0o600)
        (place / "token").write_text(secrets.token_urlsafe(32) + "\n")
        episodes = cache_folder() / "robot" / "episodes"  # they outlive the board, unlike all else of it
        command = [sys.executable, "-m", serve_board.__name__, *serve_board.simulated_arguments(place, place / LOG, episodes)]
        with (place / "stderr").open("w") as log:
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        message = json.loads((yield from _first_line(self._child)) or "{}")
        if "address" not in message:
            self._end()
            raise _start_error(message, place / "stderr")
        self._address = message["address"]

    def _token(self) -> str:
        assert self._folder is not None
        return (Path(self._folder.name) / "token").read_text().strip()

    def _leave(self, link: RobotLink) -> None:
        with self._turn:
            self._links.discard(link)
            if not self._links:
                self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _remove_left_folders() -> None:
    """Those that programs which were killed could not remove."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        maker = place.name.removeprefix(_PREFIX).partition("-")[0]
        if maker.isdecimal() and not _is_running(int(maker)):
            shutil.rmtree(place, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _first_line(child: "subprocess.Popen[str]") -> Generator[Preparing, None, str]:
    """Empty when the child ended or took too long."""
    lines = SimpleQueue[str]()
    out = child.stdout
    assert out is not None
    threading.Thread(target=lambda: lines.put(out.readline()), name="first line", daemon=True).start()
    for _ in range(2 * START_SECONDS):
        yield Preparing("Starting the simulated board")
        try:
            return lines.get(timeout=0.5)
        except Empty:
            continue
    return ""


def _start_error(message: Mapping[str, str], log: Path) -> VlaDemoError:
    if "error" in message:
        error = error_from_message(message)
        return error if isinstance(error, MissingPiece) else BoardError(f"the simulated board did not start: {error}")
    *_, last = ["it printed nothing", *log.read_text().strip().splitlines()]
    return BoardError(f"the simulated board did not start: {last}")
