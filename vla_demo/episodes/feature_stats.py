"""What LeRobot's dataset format tells of each feature: least, largest, mean, deviation, quantiles. By LeRobot's names and shapes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["FeatureStats", "column_stats", "pixel_stats", "pooled"]

FeatureStats = Mapping[str, NDArray[np.float64]]

_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def column_stats(values: NDArray[np.generic]) -> FeatureStats:
    """Of (N,) or (N, D) values, each of shape (D,); `count` is of shape (1,)."""
    rows = np.asarray(values, np.float64).reshape(len(values), -1)
    quantiles = np.quantile(rows, list(_QUANTILES.values()), axis=0)
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        "count": np.array([len(rows)], np.float64),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }


def pixel_stats(pictures: Sequence[NDArray[np.uint8]]) -> FeatureStats:
    """Of (h, w, 3) pictures, with values 0 to 1, each of shape (3, 1, 1); `count` is that of the pixels."""
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures]) / 255.0
    return {name: value if name == "count" else value.reshape(3, 1, 1) for name, value in column_stats(pixels).items()}


def pooled(parts: Sequence[FeatureStats]) -> FeatureStats:
    """Of several episodes together, (D,) or (3, 1, 1) as in the parts; quantiles are weighted means.

    As `lerobot.datasets.compute_stats.aggregate_feature_stats`.
    """
    counts = np.array([part["count"][0] for part in parts])
    weights = counts / counts.sum()
    mean = sum(w * part["mean"] for w, part in zip(weights, parts, strict=True))
    variance = sum(w * (part["std"] ** 2 + (part["mean"] - mean) ** 2) for w, part in zip(weights, parts, strict=True))
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": np.asarray(mean),
        "std": np.sqrt(variance),
        "count": np.array([counts.sum()]),
        **{q: np.asarray(sum(w * part[q] for w, part in zip(weights, parts, strict=True))) for q in _QUANTILES},
    }
