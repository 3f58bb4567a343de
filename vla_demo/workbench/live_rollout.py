"""The verb that shows a rollout while it goes on: one or two lanes from the same start, side by side in simulated time."""

from collections.abc import Sequence
from dataclasses import dataclass

from vla_demo.core.errors import MissingPiece

__all__ = ["StartCard", "start_cards"]

_SPLITS = ("test", "validation")  # the protocol's


@dataclass(frozen=True, slots=True)
class StartCard:
    """One start of the protocol, as a list shows it."""

    number: int  # of the start
    split: str
    cluster: int


def start_cards() -> Sequence[StartCard]:
    """The 20 test and 10 validation starts. Raises `MissingPiece` without MuJoCo."""
    try:
        from vla_demo.twin.protocol import protocol_starts
    except ImportError as error:
        raise MissingPiece("the twin needs MuJoCo: pip install 'vla-demo[twin]'") from error
    return [StartCard(start.number, split, start.cluster) for split in _SPLITS for start in protocol_starts(split)]
