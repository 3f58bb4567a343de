"""The near side of the recorder: takes one row a control period, and never waits. What does not fit is counted and told.

Numbers are small and all kept; pictures are what a slow disk or encoder cannot take, so they are what is left out first: then a frame shows
the pictures before it and is counted. Only when the recorder is stuck for a minute is the rest of an episode cut.
"""

import importlib.util
import json
import math
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.formats import in_megabytes, megabytes
from vla_demo.core.observation import Observation
from vla_demo.core.recorded import RecordedEpisode
from vla_demo.episodes.bounded_queue import BoundedQueue
from vla_demo.episodes.light_dataset import CameraFacts
from vla_demo.episodes.live_episode import KEPT_FREE
from vla_demo.episodes.recorder_child import RecorderChild
from vla_demo.episodes.recorder_process import BEGIN, END, HEADER, OLD_PICTURES, ROW

__all__ = ["EpisodeRecorder", "RecordedRobot", "RecorderSettings"]

_SMALLEST_EPISODE = 16 << 20  # bytes of room without which none is begun


@dataclass(frozen=True, slots=True)
class RecordedRobot:
    """What does not change from task to task."""

    name: str
    kind: str
    joint_names: tuple[str, ...]
    cameras: tuple[CameraFacts, ...]
    fps: float


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Where episodes go and how much they may take."""

    folder: Path
    limit: int = 8 * 10**9  # bytes of all episodes together
    waiting_pictures: int = 8 << 20  # bytes; the board's own memory
    waiting_rows: int = 1800  # a minute at 30 Hz
    most_frames: int = 54_000  # of an episode: half an hour at 30 Hz


@dataclass(slots=True)
class _Open:
    """The episode under way, as the control loop sees it."""

    id: str
    queue: BoundedQueue[tuple[bytes, ...] | None]
    shown_at: float = -math.inf  # when the newest pictures that were handed on were taken
    rows: int = 0
    cut: int = 0


class EpisodeRecorder:
    """Off at first. `begin`, `tick` and `end` are for the control loop and return at once; the others are for other threads. Close it."""

    def __init__(self, robot: RecordedRobot, settings: RecorderSettings) -> None:
        self.folder, self.limit = settings.folder.absolute(), settings.limit
        self._robot, self._settings = robot, settings
        self._turn = threading.Lock()
        self._child: RecorderChild | None = None
        self._open: _Open | None = None
        self._room = self._counted = 0  # bytes: of the next episode at most; of those there were when they were counted
        self.last = ""  # id of the newest task's episode; empty when it was not recorded

    @property
    def on(self) -> bool:
        return self._child is not None

    @property
    def problem(self) -> str:
        """What went wrong with the newest episode, in words; empty when nothing did."""
        child = self._child
        return "" if child is None else child.problem

    @property
    def closing(self) -> bool:
        """Whether an episode that has ended is still being written."""
        child = self._child
        return child is not None and self._open is None and bool(child.under_way)

    def record(self, on: bool) -> None:
        """From the next task on. Raises `MissingPiece`, `InvalidInput`, `VlaDemoError` when it cannot be."""
        with self._turn:
            if self._open is not None:
                raise VlaDemoError("an episode is being recorded; end the task first")
            if on and (self._child is None or self._child.dead):
                self._check()
                self._child = RecorderChild(self.folder, self._settings.waiting_pictures, self._settings.waiting_rows)
                self._counted = _size(self.folder)
            elif not on and self._child is not None:
                child, self._child = self._child, None
                threading.Thread(target=child.close, name="recorder ends", daemon=True).start()

    def recount(self) -> None:
        """After episodes were removed. May take a while."""
        with self._turn:
            if self._child is not None:
                self._child.kept_bytes = 0
            self._counted = _size(self.folder)

    def prepare(self) -> None:
        """Before a task, and quick. Raises `VlaDemoError` when it could not be recorded, though it should."""
        with self._turn:
            child, self.last = self._child, ""  # a task that is stopped before it begins is not the one before it
            if child is None:
                return
            if child.dead:
                raise VlaDemoError("the recorder has ended; switch the recording off and on again, or leave it off")
            used = self._counted + child.kept_bytes
            self._room = min(self.limit - used, shutil.disk_usage(self.folder).free - KEPT_FREE)
            if self._room < _SMALLEST_EPISODE:
                raise VlaDemoError(
                    f"there is no room for another episode in {self.folder}: the episodes take {megabytes(used, 0)} of "
                    f"{in_megabytes(self.limit, 0)} allowed, or the disk is full; remove some, or switch the recording off"
                )

    # --- the control loop's ----------------------------------------------------------------------------------------------

    def begin(self, instruction: str, about: Mapping[str, str], seen: Observation | None) -> None:
        """An empty instruction: the one that comes with what is seen. `about`: policy, variant and package."""
        child, self.last = self._child, ""
        if child is None or child.dead:
            return
        robot, name = self._robot, secrets.token_hex(8)
        recorded = RecordedEpisode(
            id=name,
            recorded_at=time.time(),
            frames=0,
            fps=robot.fps,
            instruction=instruction or (seen.instruction if seen else ""),
            ended="",
            old_pictures=0,
            cut_frames=0,
            robot=robot.name,
            kind=robot.kind,
            policy=about.get("policy", ""),
            variant=about.get("variant", ""),
            package=about.get("package", ""),
        )
        cameras = [(camera.name, camera.height, camera.width) for camera in robot.cameras]
        facts = {"recorded": asdict(recorded), "joint_names": robot.joint_names, "cameras": cameras, "room": self._room}
        child.begin(name)
        child.queue.offer(_message(BEGIN, json.dumps(facts).encode()), 0, must=True)
        self._open, self.last = _Open(name, child.queue), name

    def tick(self, state: NDArray[np.float32], action: NDArray[np.float32], seen: Observation | None) -> None:
        """One control period: joints (J,), the goal (J,), and the newest pictures; None when no camera answered."""
        episode = self._open
        if episode is None:
            return
        if episode.cut or episode.rows >= self._settings.most_frames:
            episode.cut += 1
            return
        numbers = np.concatenate([state, action]).astype("<f4").tobytes()
        if not self._handed_on(episode, numbers, seen):
            episode.cut += 1
            return
        episode.rows += 1

    def end(self, why: str) -> None:
        """Nothing happens when none is under way."""
        episode, self._open = self._open, None
        if episode is not None:
            facts = {"ended": why, "cut": episode.cut}
            episode.queue.offer(_message(END, json.dumps(facts).encode()), 0, must=True)

    def close(self) -> None:
        """An episode that was under way is kept."""
        self.end("the board ends")
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _handed_on(self, episode: _Open, numbers: bytes, seen: Observation | None) -> bool:
        if seen is None:
            return episode.rows > 0 and episode.queue.offer(_message(OLD_PICTURES, numbers), 0)
        if seen.captured_at <= episode.shown_at:
            return episode.queue.offer(_message(ROW, numbers), 0)
        pictures = [memoryview(np.ascontiguousarray(seen.images[camera.name])).cast("B") for camera in self._robot.cameras]
        size = sum(len(picture) for picture in pictures)
        if episode.queue.offer(_message(ROW, numbers, *pictures), size, must=episode.rows == 0):
            episode.shown_at = seen.captured_at
            return True
        return episode.queue.offer(_message(OLD_PICTURES, numbers), 0)

    def _check(self) -> None:
        if missing := [name for name in ("av", "pyarrow") if importlib.util.find_spec(name) is None]:
            raise MissingPiece(f"this board cannot record: it lacks {' and '.join(missing)}; there, {install('record')}")
        if self._robot.fps != round(self._robot.fps):
            raise InvalidInput(f"LeRobot's datasets have whole frames a second; {self._robot.fps:g} Hz cannot be recorded, 30 can")
        if odd := [camera.name for camera in self._robot.cameras if camera.height % 2 or camera.width % 2]:
            raise InvalidInput(f"video wants an even height and width; the camera {', '.join(odd)} has not")


def _size(folder: Path) -> int:
    """Bytes of all episodes that are whole."""
    return sum(file.stat().st_size for place in folder.glob("[!.]*") for file in place.rglob("*") if file.is_file())


def _message(kind: bytes, *parts: Any) -> tuple[Any, ...]:
    return (HEADER.pack(kind, sum(len(part) for part in parts)), *parts)
