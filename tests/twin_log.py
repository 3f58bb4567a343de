"""Reads what a desk of the twin wrote down: rows of the monotonic clock (s), six measured joints and six goals in dataset units."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLUMNS = 13


def read_log(path: Path | str) -> NDArray[np.float64]:
    """(N, 13), without a last half-written row."""
    rows = np.fromfile(path, "<f8")
    return rows[: len(rows) // COLUMNS * COLUMNS].reshape(-1, COLUMNS)
