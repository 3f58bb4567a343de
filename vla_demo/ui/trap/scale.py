"""Logarithmic scales: which values they are made for, and round numbers on them."""

import math
from collections.abc import Sequence

__all__ = ["log_ticks", "place", "worth_showing"]

LEAST_SHARE = 1e-4


def worth_showing(values: Sequence[float]) -> list[float]:
    """Without zeros and next to nothing, which would stretch the scale until all else looks alike."""
    least = LEAST_SHARE * max(values, default=0)
    return [value for value in values if value > 0 and value >= least]


def place(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, from 0 to 1; in the middle when those are one."""
    if high <= low:
        return 0.5
    return (math.log(max(value, low)) - math.log(low)) / (math.log(high) - math.log(low))


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two: powers of ten and, when there are few of those, 2 and 5 times them."""
    decades = [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    inside = [value for value in decades if low * 0.999 <= value <= high * 1.001]
    fine = [value for d in decades for value in (d, 2 * d, 5 * d) if low * 0.999 <= value <= high * 1.001]
    return inside if len(inside) >= 3 else fine
