"""Rates with the intervals they deserve."""

import math

__all__ = ["fisher_exact", "mcnemar_exact", "wilson_interval"]

_Z95 = 1.959963984540054  # two-sided 95 % quantile of the normal distribution


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a rate (Wilson, JASA 1927, "Probable inference").

    Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n} is not a rate")
    rate, z2 = successes / n, _Z95**2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Two-sided p of McNemar's exact test for two variants tried from the same starts (McNemar, Psychometrika 1947).

    Of the starts on which they differ, `only_first` were solved by the first alone; without a difference each is a coin's toss.
    Raises ValueError for negative counts.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"{only_first} and {only_second} are not counts")
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, k) for k in range(fewer + 1)) / 2.0**n
    return min(1.0, 2 * tail)


def fisher_exact(successes: int, n: int, other_successes: int, other_n: int) -> float:
    """Two-sided p of Fisher's exact test for two rates that were not tried in pairs: all tables no likelier than this one.

    Raises ValueError unless 0 <= successes <= n for both.
    """
    if not (0 <= successes <= n and 0 <= other_successes <= other_n):
        raise ValueError(f"{successes} of {n} and {other_successes} of {other_n} are not two rates")
    total = successes + other_successes
    weights = [math.comb(n, k) * math.comb(other_n, total - k) for k in range(max(0, total - other_n), min(n, total) + 1)]
    this = math.comb(n, successes) * math.comb(other_n, other_successes)
    return sum(weight for weight in weights if weight <= this) / sum(weights)
