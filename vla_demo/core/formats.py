"""How numbers are written, in one place: few digits, a unit on each, one blank between them."""

import math
from datetime import UTC, datetime

__all__ = [
    "cosine",
    "count",
    "duration",
    "in_megabytes",
    "interval",
    "latency",
    "megabytes",
    "milliseconds",
    "moment",
    "optional",
    "percent",
    "seconds",
    "with_unit",
]


def milliseconds(ms: float) -> str:
    """The time of a computation: `4.2 ms`, `89 ms`, `1.24 s`."""
    return f"{ms / 1e3:.2f} s" if ms >= 1000 else f"{ms:.{1 if ms < 10 else 0}f} ms"


def latency(seconds: float) -> str:
    """From observation to chunk, to three digits that matter: `320 ms`, `2.86 s`, `29.1 s`."""
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def seconds(value: float, digits: int = 1) -> str:
    """Simulated or recorded time: `7.5 s`."""
    return f"{value:.{digits}f} s"


def duration(seconds: float) -> str:
    """How long a computation took: `85 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def moment(when: str) -> str:
    """ISO 8601 as a date and a time: `22 November 2026, 19:30 UTC`. Without a zone it is taken for UTC."""
    parsed = datetime.fromisoformat(when)
    return f"{parsed.astimezone(UTC) if parsed.tzinfo else parsed:%-d %B %Y, %H:%M} UTC"


def megabytes(size: float, digits: int = 1) -> str:
    """Of bytes; a megabyte is a million of them: `15.5 MB`."""
    return f"{in_megabytes(size, digits)} MB"


def in_megabytes(size: float, digits: int = 2) -> str:
    """The number alone, for a column that has the unit at its head, or for `1.30 of 4.20 MB`."""
    return f"{size / 1e6:.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """`45 %` of 0.45."""
    return f"{share * 100:.{digits}f} %"


def cosine(value: float) -> str:
    """Cut off after four digits, so that it is never rounded up to a perfect 1."""
    return f"{math.floor(value * 1e4) / 1e4:.4f}"


def interval(low: float, high: float) -> str:
    """Of a rate: `0.79 to 0.98`."""
    return f"{low:.2f} to {high:.2f}"


def count(number: int, noun: str) -> str:
    """`1 episode`, `2 episodes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def with_unit(value: float, unit: str, digits: int = 2) -> str:
    """Of a joint: `4.20°`, `12.00 %`."""
    return f"{value:.{digits}f}{' %' if unit == '%' else unit}"


def optional(value: float | None, pattern: str, missing: str = "–") -> str:
    """`value` by a format such as `{:.1f} s`, or a dash where there is none."""
    return missing if value is None else pattern.format(value)
