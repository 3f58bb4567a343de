"""In which order precisions stand in the figures of the Trap tab, and how errors are written there."""

import math
from collections.abc import Iterable

from vla_demo.core.precision import OFFERED_PRECISIONS, Precision
from vla_demo.evaluation.bootstrap import Interval

__all__ = ["in_order", "operands_of", "scheme_of", "short", "with_interval"]


def in_order(precisions: Iterable[str]) -> list[str]:
    """Each once, as the dial has them; recipes last."""

    def place(precision: str) -> tuple[int, str]:
        scheme = scheme_of(precision)
        return (OFFERED_PRECISIONS.index(scheme) if scheme in OFFERED_PRECISIONS else len(OFFERED_PRECISIONS), precision)

    return sorted(dict.fromkeys(precisions), key=place)


def scheme_of(name: str) -> str:
    """Of a precision; of stages in several precisions, as in `vision=int8,llm=int4`, that it is mixed."""
    return "mixed" if "=" in name else Precision.parse(name).scheme


def operands_of(name: str) -> str:
    return "" if "=" in name else Precision.parse(name).operands


def short(value: float) -> str:
    """Two digits that count: 4.2e−4, 0.0042, 0.13, 1.7, 12."""
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits}e−{abs(int(power))}"
    return f"{value:.{max(0, 1 - math.floor(math.log10(abs(value))))}f}"


def with_interval(found: Interval) -> str:
    return f"{short(found.mean)}, {short(found.low)} to {short(found.high)}"
