"""Many chunks of a variant beside FP32's and beside what was recorded, as the numbers of the report."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.evaluation.anatomy import rms
from vla_demo.evaluation.bootstrap import Interval, clustered_interval
from vla_demo.evaluation.metrics import ActionScale, cosine

__all__ = ["BETTER", "NOT_DISTINGUISHABLE", "WORSE", "Comparison", "by_position", "compare", "differences", "error_vs_recorded", "verdict"]

FEWEST_EPISODES = 2
NOT_DISTINGUISHABLE, WORSE, BETTER = "not distinguishable", "worse", "better"
Chunks = Sequence[NDArray[np.float32]]  # of (T, J), dataset units


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of a variant with FP32."""

    error: Interval
    max_abs: float
    p95: float
    min_cosine: float


def compare(chunks: Chunks, reference: Chunks, scale: ActionScale, clusters: Sequence[Hashable]) -> Comparison:
    """How far `chunks` are from `reference`, each (T, J) in dataset units: same observations, same noise, in the same order."""
    apart = differences(chunks, reference, scale)
    sizes = np.abs(apart)
    least = min(cosine(a, b, scale) for a, b in zip(chunks, reference, strict=True))
    return Comparison(clustered_interval(rms(apart), clusters), float(sizes.max()), float(np.percentile(sizes, 95)), least)


def differences(chunks: Chunks, reference: Chunks, scale: ActionScale) -> NDArray[np.float64]:
    """(n, T, J) in standard deviations."""
    apart: NDArray[np.float64] = (np.stack(chunks).astype(np.float64) - np.stack(reference)) / scale.std
    return apart


def error_vs_recorded(chunks: Chunks, recorded: Chunks, scale: ActionScale, clusters: Sequence[Hashable]) -> Interval:
    """RMS distance, in standard deviations, of each chunk (T, J) from what the demonstrator did.

    That is (M, J), M <= T, where a recording ends inside a chunk; it is compared as far as it goes.
    """
    sizes = [float(rms((c[: len(r)].astype(np.float64) - r) / scale.std)) for c, r in zip(chunks, recorded, strict=True)]
    return clustered_interval(sizes, clusters)


def verdict(variant: Interval, reference: Interval, clusters: Sequence[Hashable]) -> str:
    """Intervals that overlap are not told apart by these episodes; that is no proof that the two are equal. One episode tells nothing."""
    if len(set(clusters)) < FEWEST_EPISODES or variant.overlaps(reference):
        return NOT_DISTINGUISHABLE
    return WORSE if variant.mean > reference.mean else BETTER


def by_position(apart: NDArray[np.float64]) -> tuple[float, ...]:
    """(n, T, J) differences to (T,): root mean square of each position in the chunk, over chunks and joints."""
    return tuple(float(value) for value in np.sqrt(np.mean(np.square(apart), axis=(0, 2))))
