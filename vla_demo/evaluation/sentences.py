"""Numbers and lists as people read them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["SAME", "grouped", "listed", "number", "span", "times"]

SAME = 0.05  # ratios within five percent of 1 are called equal


def number(value: float) -> str:
    """Two digits that matter."""
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def times(a: float, b: float) -> str:
    """How many times b is a."""
    if b == 0:
        return "more than"
    return f"{a / b:.1f} times" if a < 10 * b else f"{a / b:.0f} times"


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def span(values: Sequence[float], form: str) -> str:
    """`0.4 to 0.7`, or one number where they are the same as written."""
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def grouped(values: Mapping[str, float], kind: Callable[[float], str]) -> dict[str, list[str]]:
    """Names by what is said of their value, in the order of the names."""
    groups: dict[str, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(kind(value), []).append(name)
    return groups
