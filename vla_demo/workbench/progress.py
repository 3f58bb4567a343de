"""How far a preparation has come: what every verb that takes a while yields before its result."""

from dataclasses import dataclass

__all__ = ["Preparing"]


@dataclass(frozen=True, slots=True)
class Preparing:
    """One line of progress."""

    text: str
    fraction: float | None = None  # 0..1; None when nobody can say
