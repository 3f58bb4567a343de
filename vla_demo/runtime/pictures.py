"""The operations a checkpoint does to its camera pictures, as data read from a manifest; numpy only, nothing of any policy.

Each works on a float32 (3, H, W) picture. What each must reproduce, to float32 rounding, is named in its docstring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, PackageError
from vla_demo.runtime.resampling import resize
from vla_demo.runtime.strict_json import StrictJsonError, from_json

__all__ = ["operations_of", "to_input"]

Picture = NDArray[np.float32]  # (3, H, W)


class PictureOperation(Protocol):
    def __call__(self, picture: Picture) -> Picture: ...


@dataclass(frozen=True, slots=True)
class Crop:
    """`torchvision.transforms.functional.crop`, inside the picture only."""

    top: int
    left: int
    height: int
    width: int

    def __call__(self, picture: Picture) -> Picture:
        rows, columns = picture.shape[1:]
        bottom, right = self.top + self.height, self.left + self.width
        if min(self.top, self.left) < 0 or bottom > rows or right > columns:
            raise InvalidInput(
                f"this policy crops its pictures to rows {self.top}..{bottom} and columns {self.left}..{right}; "
                f"a picture of {columns}x{rows} is too small for that"
            )
        return picture[:, self.top : bottom, self.left : right]


@dataclass(frozen=True, slots=True)
class Resize:
    """`torchvision.transforms.functional.resize` of a tensor, then clamped to [0, 1] as LeRobot's crop-and-resize processor does."""

    height: int
    width: int
    antialias: bool

    def __call__(self, picture: Picture) -> Picture:
        return np.clip(resize(picture, self.height, self.width, antialias=self.antialias), 0, 1)


@dataclass(frozen=True, slots=True)
class ResizeWithPad:
    """SmolVLA's `resize_with_pad`: the aspect is kept, bilinear without antialiasing, and the padding goes LEFT and TOP."""

    height: int
    width: int
    value: float

    def __call__(self, picture: Picture) -> Picture:
        rows, columns = picture.shape[1:]
        ratio = max(columns / self.width, rows / self.height)
        small = resize(picture, int(rows / ratio), int(columns / ratio), antialias=False)
        padded = np.full((3, self.height, self.width), self.value, np.float32)
        padded[:, self.height - small.shape[1] :, self.width - small.shape[2] :] = small
        return padded


@dataclass(frozen=True, slots=True)
class Normalize:
    """`(x - mean) / (std + eps)` for each colour, as LeRobot's normalizer."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    eps: float

    def __call__(self, picture: Picture) -> Picture:
        mean, std = (np.asarray(v, np.float32)[:, None, None] for v in (self.mean, self.std))
        centred: Picture = picture - mean
        centred /= std + np.float32(self.eps)  # in place: a second copy of three camera pictures costs more than the division
        return centred


@dataclass(frozen=True, slots=True)
class Affine:
    """`x * scale + offset`."""

    scale: float
    offset: float

    def __call__(self, picture: Picture) -> Picture:
        scaled: Picture = picture * np.float32(self.scale)
        scaled += np.float32(self.offset)
        return scaled


_KINDS: Mapping[str, type[PictureOperation]] = {
    "crop": Crop,
    "resize": Resize,
    "resize_with_pad": ResizeWithPad,
    "normalize": Normalize,
    "affine": Affine,
}


def operations_of(camera: str, entries: Sequence[Mapping[str, Any]]) -> tuple[PictureOperation, ...]:
    """The operations of one camera. Raises `PackageError` for one that is unknown or lacks a parameter."""
    return tuple(_operation(f"images.{camera}[{i}]", dict(entry)) for i, entry in enumerate(entries))


def to_input(image: NDArray[np.uint8], operations: Sequence[PictureOperation]) -> Picture:
    """(H, W, 3) uint8 RGB through [0, 1] and all operations to the (3, h, w) a graph reads."""
    picture = np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float32)
    picture /= np.float32(255)
    for operation in operations:
        picture = operation(picture)
    return picture


def _operation(where: str, entry: dict[str, Any]) -> PictureOperation:
    kind = _KINDS.get(entry.pop("op", ""))
    if kind is None:
        raise PackageError(f"{where} is not a known picture operation; known are {', '.join(_KINDS)}")
    try:
        operation: PictureOperation = from_json(kind, entry, where)
    except StrictJsonError as problem:
        raise PackageError(str(problem)) from problem
    return operation
