"""One camera's pictures out of a video file: in order without seeking, anywhere else exactly.

It knows times, not episodes.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.extras import install

__all__ = ["VideoCursor"]

# Decoding on is cheaper than a seek up to about a group of pictures.
DECODE_ON_SECONDS = 1.0


class VideoCursor:
    """Keeps a video open at the last picture asked for. Opens it at first use; may be shared between threads."""

    def __init__(self, file: Path, fps: float) -> None:
        self._file = file
        self._half_period = 0.5 / fps
        self._lock = threading.Lock()
        self._container: Any = None
        self._pictures: Iterator[Any] = iter(())
        self._current: Any = None  # the decoded picture that stands at the cursor

    def picture(self, seconds: float) -> NDArray[np.uint8]:
        """The (H, W, 3) RGB picture shown at `seconds`. Raises `InvalidInput` when the file has none there or cannot be decoded."""
        import av

        with self._lock:
            try:
                return self._picture(seconds)
            except (av.FFmpegError, OSError) as error:
                raise InvalidInput(f"{self._file} cannot be decoded: {error}") from error

    def close(self) -> None:
        with self._lock:
            if self._container is not None:
                self._container.close()
            self._container, self._pictures, self._current = None, iter(()), None

    def _picture(self, seconds: float) -> NDArray[np.uint8]:
        if not self._stands_before(seconds):
            self._seek(seconds)
        while self._current is None or self._current.time < seconds - self._half_period:
            following = next(self._pictures, None)
            if following is None:
                raise InvalidInput(f"{self._file} ends before {seconds:.3f} s")
            self._current = following
        if self._current.time > seconds + self._half_period:
            raise InvalidInput(f"{self._file} has no picture at {seconds:.3f} s, the next one is at {self._current.time:.3f} s")
        picture: NDArray[np.uint8] = self._current.to_ndarray(format="rgb24")
        return picture

    def _stands_before(self, seconds: float) -> bool:
        if self._current is None:
            return False
        ahead = seconds - self._current.time
        return bool(-self._half_period <= ahead <= DECODE_ON_SECONDS)

    def _seek(self, seconds: float) -> None:
        if self._container is None:
            self._container = _open(self._file)
        stream = self._container.streams.video[0]
        # Half a period early: the time in the table and the time stamp in the file are rounded differently.
        earlier = max(0.0, seconds - self._half_period)
        self._container.seek(int(earlier / stream.time_base), stream=stream, backward=True, any_frame=False)
        self._current = None
        self._pictures = (p for p in self._container.decode(stream) if p.pts is not None)


def _open(file: Path) -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingPiece(f"reading videos needs PyAV: {install('app')}") from error
    container = av.open(str(file))
    if not container.streams.video:
        container.close()
        raise InvalidInput(f"{file} holds no video")
    return container
