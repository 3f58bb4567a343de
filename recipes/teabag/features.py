"""Features of the demonstrations' pictures under the pretrained vision, computed once, so that a policy step needs no vision at all."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from demonstrations import Demonstrations
from numpy.typing import NDArray

__all__ = ["Features", "open_features"]

_EVERY = 4  # frames: neighbours at 30 Hz look the same; actions keep their 30 Hz
_AT_ONCE = 16  # frames


@dataclass(frozen=True, slots=True)
class Features:
    frames: NDArray[np.int64]  # (M,) which frames of the demonstrations
    maps: NDArray[np.float16]  # (M, cameras, ...), memory-mapped


def open_features(family: ModuleType, policy: Any, demos: Demonstrations, cache: Path) -> Features:
    """`cache` is filled the first time; remove it when the vision changed."""
    frames = np.arange(0, len(demos), _EVERY)
    if not cache.is_file():
        _compute(family, policy, demos.pictures, frames, cache)
    return Features(frames, np.load(cache, mmap_mode="r"))


def _compute(family: ModuleType, policy: Any, pictures: NDArray[np.uint8], frames: NDArray[np.int64], cache: Path) -> None:
    part = cache.with_suffix(".part.npy")
    maps = np.lib.format.open_memmap(part, "w+", np.float16, (len(frames), *family.FEATURES))
    for at in range(0, len(frames), _AT_ONCE):
        block = pictures[frames[at : at + _AT_ONCE]]
        maps[at : at + _AT_ONCE] = family.encode(policy, block.reshape(-1, *block.shape[2:])).reshape(-1, *family.FEATURES)
        if at % (100 * _AT_ONCE) == 0:
            print(f"features {at}/{len(frames)}", flush=True)
    maps.flush()
    os.replace(part, cache)
