"""The newest picture of each of LeRobot's cameras, and how old it really is. Knows no arm."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import VlaDemoError

__all__ = ["FROZEN", "Cameras"]

FROZEN = 2.0  # s of one and the same picture, bit for bit, after which it counts as old: a sensor's noise never repeats itself
_ANY_AGE = 60_000  # ms: how old is too old is for whoever plans from it to say


class Cameras:
    """Connected ones, by name. Any thread may look."""

    def __init__(self, cameras: Mapping[str, Any]) -> None:
        self._cameras = cameras
        self._shown: dict[str, tuple[float, NDArray[np.uint8]]] = {}  # since when (s, monotonic) each shows what it shows

    def newest(self) -> tuple[dict[str, NDArray[np.uint8]], float]:
        """Pictures (H, W, 3), and when the oldest was taken (s, monotonic): a driver that hands out one picture again and
        again under new times does not make it newer. Raises `VlaDemoError` for a camera without any."""
        found = {name: self._read_frame(name) for name in self._cameras}
        return {name: picture for name, (picture, _) in found.items()}, min(
            (taken for _, taken in found.values()), default=time.monotonic()
        )

    def _read_frame(self, name: str) -> tuple[NDArray[np.uint8], float]:
        camera = self._cameras[name]
        stamp = camera.latest_timestamp  # before the picture: it may be said to be older than it is, never newer
        try:
            picture: NDArray[np.uint8] = camera.read_latest(max_age_ms=_ANY_AGE)
        except (OSError, RuntimeError) as problem:
            raise VlaDemoError(f"the camera {name!r} is gone: {problem}") from problem
        taken = time.monotonic() - (time.perf_counter() - stamp)
        since, shown = self._shown.get(name, (taken, None))
        if shown is None or not np.array_equal(picture, shown):
            self._shown[name] = (taken, picture)
            return picture, taken
        return picture, since if taken - since > FROZEN else taken
