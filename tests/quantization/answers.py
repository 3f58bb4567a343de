"""Seeded numbers, and what a graph that reads `x` and answers `y` makes of them."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray


def random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def answer(path: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["y"], {"x": x})[0])


def relative_error(fp32: Path, other: Path, x: NDArray[np.float32]) -> float:
    """Root mean square of the difference over that of the FP32 answer."""
    expected, found = answer(fp32, x), answer(other, x)
    assert expected.shape == found.shape
    return float(np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)))
