"""Bilinear resizing of a picture in numpy, to the last float32 digit what PyTorch computes; knows nothing of policies.

Bilinear resizing is separable: one weight matrix for the rows and one for the columns, made once for each pair of sizes. Coefficients:
half-pixel centres as in `torch.nn.functional.interpolate(align_corners=False)`; with `antialias` the triangle filter widens with the
scale, as in Pillow and torchvision.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["resize", "weights"]

Picture = NDArray[np.float32]  # (3, H, W)


def resize(picture: Picture, height: int, width: int, *, antialias: bool) -> Picture:
    """(3, H, W) to (3, height, width); a picture that already has the size is returned as it is."""
    rows, columns = picture.shape[1:]
    if (rows, columns) == (height, width):
        return picture
    if columns != width:
        picture = picture @ weights(columns, width, antialias).T
    if rows != height:
        picture = weights(rows, height, antialias) @ picture
    return np.ascontiguousarray(picture)


@lru_cache(maxsize=64)
def weights(size: int, target: int, antialias: bool) -> NDArray[np.float32]:
    """(M, N), M = `target` and N = `size`: row i holds the weights of the old pixels in new pixel i; each row sums to 1."""
    # PyTorch keeps scale and positions in float32; their rounding moves a pixel of a large picture by up to 1e-4, so it is kept too.
    scale = np.float32(size / target)
    matrix = _triangle(size, target, scale) if antialias else _two_neighbours(size, target, scale)
    matrix.setflags(write=False)
    return matrix


def _triangle(size: int, target: int, scale: np.float32) -> NDArray[np.float32]:
    reach, half = np.maximum(scale, np.float32(1)), np.float32(0.5)
    centers = (scale * (np.arange(target, dtype=np.float32) + half))[:, None]
    pixels = np.arange(size)
    inside = (pixels >= (centers - reach + half).astype(np.int64)) & (pixels < (centers + reach + half).astype(np.int64))
    distance = np.abs(pixels.astype(np.float32) - centers + half) * (np.float32(1) / reach)
    triangle: NDArray[np.float32] = np.where(inside, np.clip(1 - distance, 0, None), np.float32(0))
    total: NDArray[np.float32] = triangle.sum(axis=1, keepdims=True)
    return triangle / total


def _two_neighbours(size: int, target: int, scale: np.float32) -> NDArray[np.float32]:
    fused = (np.float64(scale) * (np.arange(target) + 0.5) - 0.5).astype(np.float32)  # one rounding: it is a fused multiply-add there
    source = np.clip(fused, 0, size - 1)
    low = np.floor(source).astype(np.int64)
    share = source - low.astype(np.float32)
    matrix = np.zeros((target, size), np.float32)
    rows = np.arange(target)
    matrix[rows, low] = 1 - share
    matrix[rows, np.minimum(low + 1, size - 1)] += share
    return matrix
