"""The recorder's process as the board holds it: what waits to be sent there, and what it answered. Neither side is waited for."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vla_demo.core.errors import VlaDemoError
from vla_demo.episodes import recorder_process
from vla_demo.episodes.bounded_queue import BoundedQueue

__all__ = ["RecorderChild"]

_START_SECONDS = 30.0
_CLOSE_SECONDS = 12.0  # for the encoder's last frames and the disk


class RecorderChild:
    """The process, what waits for it, and what it answered. Raises `VlaDemoError` when it does not come up."""

    def __init__(self, folder: Path, most_bytes: int, most_rows: int) -> None:
        self.queue = BoundedQueue[tuple[bytes, ...] | None](most_bytes, most_rows)
        self.problem, self.under_way, self.dead = "", list[str](), False
        self.kept_bytes = 0  # of the episodes it has written
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-m", recorder_process.__name__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=run, name="recorder", daemon=True) for run in (self._send, self._read_messages)]
        for thread in self._threads:
            thread.start()
        if not self._ready.wait(_START_SECONDS) or self.dead:
            self.close()
            raise VlaDemoError(f"the recorder did not come up; can {folder} be written? The board's log says more")

    def begin(self, name: str) -> None:
        self.problem = ""
        self.under_way.append(name)

    def close(self) -> None:
        """Waits until all is on the disk, but not for ever."""
        self.queue.offer(None, 0, must=True)
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(1)

    def _send(self) -> None:
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            try:
                while (parts := self.queue.get()) is not None:
                    for part in parts:
                        _write(pipe.fileno(), part)
            except OSError:
                self.dead = True

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in iter(pipe.readline, b""):
                self._handle(json.loads(line))
        self.dead = True
        if self.under_way:
            self.problem = "the recorder ended before the episode was whole; the episode is lost"
        self._ready.set()

    def _handle(self, message: Mapping[str, Any]) -> None:
        if "ready" in message:
            self._ready.set()
        name = message.get("kept") or message.get("lost")
        if name in self.under_way:
            self.under_way.remove(name)
        self.kept_bytes += message.get("bytes", 0)
        if "lost" in message:
            self.problem = f"the newest episode was not kept: {message['why']}"


def _write(handle: int, part: Any) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(handle, rest) :]
