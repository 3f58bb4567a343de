"""How sure a mean is when several measurements come from one episode: the bootstrap over episodes.

It knows nothing of what is averaged.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEVEL", "RESAMPLES", "Interval", "clustered_interval"]

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and where its resampled counterparts lie."""

    mean: float
    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two have a value in common: then the data do not tell them apart."""
        return self.low <= other.high and other.low <= self.high


def clustered_interval(values: ArrayLike, clusters: Sequence[Hashable], *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Percentile interval, 95 %, of the mean of `values` (n,), drawing whole clusters with replacement.

    Measurements in one episode resemble each other, so that the episode, not the measurement, is what was sampled (cluster bootstrap:
    Davison & Hinkley 1997, section 3.8). Raises ValueError for no values or unequal lengths. The same `seed` gives the same interval; of a
    single cluster nothing is known but its mean.
    """
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or len(numbers) == 0 or len(numbers) != len(clusters):
        raise ValueError(f"{numbers.shape} values of {len(clusters)} clusters have no interval")
    sums, counts = _per_cluster(numbers, clusters)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(numbers.mean()), float(low), float(high))


def _per_cluster(values: NDArray[np.float64], clusters: Sequence[Hashable]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    number = {cluster: i for i, cluster in enumerate(dict.fromkeys(clusters))}
    of = [number[cluster] for cluster in clusters]
    return np.bincount(of, values).astype(np.float64), np.bincount(of).astype(np.float64)
