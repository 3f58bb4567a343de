"""The far side of the recorder: a process of its own that encodes and writes, so that neither its memory nor its waiting is the board's.

It reads messages from standard input and answers in lines of JSON. When its input ends without a word, whoever recorded has died: the
episode that was under way is closed as far as it got.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.episodes.bounded_queue import BoundedQueue
from vla_demo.episodes.live_episode import LiveEpisode, began_from

__all__ = ["BEGIN", "END", "HEADER", "OLD_PICTURES", "ROW"]

HEADER = struct.Struct("<cI")  # kind of message, bytes that follow
BEGIN, ROW, OLD_PICTURES, END = b"B", b"R", b"O", b"E"  # a row with or without pictures; one whose pictures were lost on the way
_MOST_WAITING = 96 << 20  # bytes
_MOST_MESSAGES = 4000
_NICE, _OOM_SCORE = 5, "500"  # the policy and the control loop come first, in time and, when there is too little of it, in memory

Message = tuple[bytes, bytes]


def main() -> None:
    """Argument: the folder of the episodes."""
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)  # it ends when its input does, with the episode whole
    _step_back()
    import av.logging
    import pyarrow.parquet  # noqa: F401  now, and not when the first episode ends

    av.logging.set_libav_level(av.logging.ERROR)
    folder = Path(sys.argv[1])
    remove_unfinished(folder)
    inbox = BoundedQueue[Message | None](_MOST_WAITING, _MOST_MESSAGES)
    threading.Thread(target=_read, args=(sys.stdin.buffer, inbox), name="input", daemon=True).start()
    _send({"ready": True})
    _Writer(folder).run(iter(inbox.get, None))


def _step_back() -> None:
    """Not relative to the board's own, which may be set high."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


def remove_unfinished(folder: Path) -> None:
    """Remove what recorders that died have left: a living one has its folder locked. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in [*folder.glob(".recording-*"), *folder.glob(".removed-*")]:
        with contextlib.suppress(OSError), _locked(left):
            shutil.rmtree(left)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises `OSError` when somebody else has it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _read(stream: IO[bytes], inbox: BoundedQueue[Message | None]) -> None:
    while len(header := stream.read(HEADER.size)) == HEADER.size:
        kind, size = HEADER.unpack(header)
        body = stream.read(size)
        if len(body) < size:
            break
        inbox.put((kind, body), size)
    inbox.offer(None, 0, must=True)


def _send(message: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more, and the episode is kept all the same
        print(json.dumps(message), flush=True)


class _Writer:
    """One episode at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._episode: LiveEpisode | None = None
        self._name = ""  # of the episode under way, or begun last
        self._lock = contextlib.ExitStack()

    def run(self, messages: Iterator[Message]) -> None:
        import av

        for kind, body in messages:
            try:
                self._take(kind, body)
            except (OSError, av.FFmpegError) as problem:
                self._lose(problem.strerror or str(problem))
        if self._episode is not None:
            try:
                self._finish("the board's program ended", 0)
            except (OSError, av.FFmpegError) as problem:
                self._lose(str(problem))

    def _take(self, kind: bytes, body: bytes) -> None:
        if kind == BEGIN:
            began = began_from(json.loads(body))
            self._name = began.recorded.id
            self._episode = LiveEpisode(self._folder, began)
            self._lock.enter_context(_locked(self._episode.partial))
        elif kind == END and self._episode is not None:
            facts = json.loads(body)
            self._finish(facts["ended"], facts["cut"])
        elif kind in (ROW, OLD_PICTURES) and self._episode is not None:
            self._add(self._episode, body, old=kind == OLD_PICTURES)

    def _add(self, episode: LiveEpisode, body: bytes, old: bool) -> None:
        joints, cameras = len(episode.began.joint_names), episode.began.cameras
        numbers = np.frombuffer(body, "<f4", 2 * joints).astype(np.float32)
        pictures: Sequence[NDArray[np.uint8]] | None = None
        if len(body) > 8 * joints:
            pictures, at = [], 8 * joints
            for camera in cameras:
                size = camera.height * camera.width * 3
                pictures.append(np.frombuffer(body, np.uint8, size, at).reshape(camera.height, camera.width, 3))
                at += size
        episode.add(numbers[:joints], numbers[joints:], pictures, old)

    def _finish(self, ended: str, cut: int) -> None:
        assert self._episode is not None
        kept = self._episode.finish(ended, cut)
        self._lock.close()
        self._episode = None
        size = sum(file.stat().st_size for file in (self._folder / self._name).rglob("*") if file.is_file())
        _send({"kept": self._name, "bytes": size} if kept else {"lost": self._name, "why": "it ended before its first frame"})

    def _lose(self, why: str) -> None:
        """The disk is full or broken: this episode is given up, those before it stay."""
        episode, self._episode = self._episode, None
        if episode is not None:
            episode.discard()
        shutil.rmtree(self._folder / f".recording-{self._name}", ignore_errors=True)
        self._lock.close()
        _send({"lost": self._name, "why": why})


if __name__ == "__main__":
    main()
