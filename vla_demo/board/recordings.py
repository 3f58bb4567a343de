"""The episodes a board has recorded, as they lie in their folder: listed, read in parts, judged, removed. Who writes them is handed in.

An episode's id is a name that the board made; a file is asked for by its place in the list, so no path crosses the link on the way in.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.board.packages import NotThere, OfferedFile
from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.observation import Observation
from vla_demo.core.recorded import RecordedEpisode, read_recorded, write_recorded
from vla_demo.core.storage import fingerprint

__all__ = ["NoRecorder", "Recorder", "RecordingShelf"]

MOST_LISTED = 500
_ID = re.compile(r"[0-9a-f]{16}")
_CLOSING_SECONDS = 10.0
_LISTED = 4  # recordings whose files are remembered with their hashes


class Recorder(Protocol):
    """Writes episodes while tasks run. `begin`, `tick` and `end` are the control loop's and return at once."""

    folder: Path
    limit: int  # bytes of all episodes together
    last: str  # id of the newest task's episode; empty when it was not recorded

    @property
    def on(self) -> bool: ...

    @property
    def problem(self) -> str:
        """What became of the newest episode when it was not kept, in words."""
        ...

    @property
    def closing(self) -> bool:
        """Whether an episode that has ended is still being written."""
        ...

    def record(self, on: bool) -> None:
        """From the next task on. Raises `VlaDemoError` when that cannot be."""
        ...

    def recount(self) -> None:
        """After episodes were removed. May take a while."""
        ...

    def prepare(self) -> None:
        """Before a task, and quick. Raises `VlaDemoError` when it should be recorded and cannot."""
        ...

    def begin(self, instruction: str, about: Mapping[str, str], seen: Observation | None) -> None:
        """An empty instruction: the one that comes with what is seen. `about`: policy, variant, package."""
        ...

    def tick(self, state: NDArray[np.float32], action: NDArray[np.float32], seen: Observation | None) -> None:
        """One control period: joints (J,), the goal (J,), the newest pictures; None when no camera answered."""
        ...

    def end(self, why: str) -> None: ...

    def close(self) -> None: ...


class NoRecorder:
    """Of a board that cannot record, and says why."""

    on, problem, closing, last, limit = False, "", False, "", 0

    def __init__(self, why: str = "this board was started without a recorder") -> None:
        self.folder, self._why = Path(), why

    def record(self, on: bool) -> None:
        if on:
            raise MissingPiece(self._why)

    def recount(self) -> None: ...

    def prepare(self) -> None: ...

    def begin(self, instruction: str, about: Mapping[str, str], seen: Observation | None) -> None: ...

    def tick(self, state: NDArray[np.float32], action: NDArray[np.float32], seen: Observation | None) -> None:
        """Takes joints (J,) and goal (J,) as `Recorder.tick` does, and keeps nothing."""
        ...

    def end(self, why: str) -> None: ...

    def close(self) -> None: ...


class RecordingShelf:
    """May be called from several threads. Raises `NotThere` for an episode or a part that is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = threading.Lock()
        self._files: dict[str, tuple[OfferedFile, ...]] = {}

    def kept(self) -> list[tuple[RecordedEpisode, int]]:
        """The newest `MOST_LISTED` with their bytes, oldest first; a folder that is none is left out."""
        found = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            if _ID.fullmatch(place.name):
                try:
                    found.append((read_recorded(place)[0], sum(file.stat().st_size for file in place.rglob("*") if file.is_file())))
                except (InvalidInput, IndexError, OSError):
                    continue  # being removed, or no work of ours
        return sorted(found, key=lambda one: one[0].recorded_at)[-MOST_LISTED:]

    def free_bytes(self) -> int:
        there = next(place for place in (self.folder, *self.folder.absolute().parents) if place.exists())
        return shutil.disk_usage(there).free

    def files(self, name: str) -> tuple[OfferedFile, ...]:
        """What an episode is made of, with sizes and hashes. Reads all of it."""
        place = self._place(name)
        try:
            files = sorted(f for f in place.rglob("*") if f.is_file() and not f.name.startswith("."))  # a judgement being written is none
            listed = tuple(OfferedFile(f.relative_to(place).as_posix(), p.size_bytes, p.sha256) for f in files for p in [fingerprint([f])])
        except OSError as problem:
            raise NotThere(f"the episode cannot be read: {problem.strerror}") from problem
        with self._turn:
            self._files[name] = listed
            while len(self._files) > _LISTED:
                self._files.pop(next(iter(self._files)))
        return listed

    def part(self, name: str, file: int, offset: int, most: int) -> bytes:
        """At most so many bytes of the file at that place of the list; nothing at its end."""
        place = self._place(name)
        listed = self._files.get(name) or self.files(name)
        if not 0 <= file < len(listed) or not 0 <= offset <= listed[file].size:
            raise NotThere(f"episode {name} has {len(listed)} files; there is nothing at {offset} of file {file}")
        try:
            with (place / listed[file].name).open("rb") as stream:
                stream.seek(offset)
                return stream.read(most)
        except OSError as problem:
            raise NotThere(f"the episode cannot be read: {problem.strerror}") from problem

    def judge(self, name: str, success: bool, is_coming: Callable[[], bool] = lambda: False) -> None:
        """As a person saw it. An episode that has just ended is waited for; `is_coming` says whether this one will still appear."""
        given_up = time.monotonic() + _CLOSING_SECONDS
        while self._is_written(name, is_coming) and time.monotonic() < given_up:
            time.sleep(0.05)
        place = self._place(name)
        with self._turn:
            try:
                write_recorded(place, [replace(read_recorded(place)[0], success=success)])
            except OSError as problem:
                raise NotThere(f"the judgement cannot be written: {problem.strerror}") from problem
            self._files.pop(name, None)

    def remove(self, name: str) -> None:
        with self._turn:
            going = self.folder / f".removed-{name}"
            try:
                self._place(name).rename(going)  # from now on it is none, however far the rest gets
                shutil.rmtree(going)
            except OSError as problem:
                raise NotThere(f"the episode cannot be removed: {problem.strerror}") from problem
            self._files.pop(name, None)

    def _is_written(self, name: str, is_coming: Callable[[], bool]) -> bool:
        """Whether the episode is not there yet, and will be: a busy machine begins its folder late."""
        if not _ID.fullmatch(name) or (self.folder / name).is_dir():
            return False
        return (self.folder / f".recording-{name}").is_dir() or is_coming()

    def _place(self, name: str) -> Path:
        if not _ID.fullmatch(name) or not (self.folder / name).is_dir():
            raise NotThere(f"this board has no episode {name[:40]!r}")
        return self.folder / name
