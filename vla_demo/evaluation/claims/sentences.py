"""Numbers and lists as people read them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from vla_demo.core.labels import precision_label, stage_label

__all__ = ["SAME", "grouped", "listed", "named_precisions", "named_stage", "number", "only", "span", "times"]

SAME = 0.05  # ratios within five percent of 1 are called equal


def number(value: float) -> str:
    """Two digits that matter."""
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def named_stage(role: str) -> str:
    """Inside a sentence: `the action expert`."""
    return f"the {stage_label(role).lower()}"


def named_precisions(names: Iterable[str]) -> str:
    """`INT8, INT8 weights and INT4`."""
    return listed(precision_label(name) for name in names)


def only(names: Sequence[str]) -> str | None:
    """The name, where there is but one: what a sentence about several is about cannot be said in a word."""
    return names[0] if len(names) == 1 else None


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
