"""Which starts a closed loop is measured on: the protocol's 20 test and 10 validation starts, or fresh ones in the training clusters."""

import re
from itertools import islice

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.starts import HELD_OUT, Start, fresh_start, split_starts

__all__ = ["fresh_training_starts", "protocol_starts", "starts_named"]

STARTS = ("test", "validation", "all")  # and "<N>-fresh"
_FIRST_FRESH_SEED = 500_000
_MOST_FRESH = 1000


def protocol_starts(split: str) -> list[Start]:
    """The starts of the recorded episodes of a split. The demonstrator solved the first candidate of each, as a test compares."""
    return [candidates[0] for candidates in split_starts(split)]


def fresh_training_starts(count: int) -> list[Start]:
    """New starts in the ten training clusters, in no recorded split: for choosing among checkpoints and settings."""
    drawn = (fresh_start(seed) for seed in range(_FIRST_FRESH_SEED, 2**31))
    return list(islice((start for start in drawn if start.cluster != HELD_OUT), count))


def starts_named(text: str) -> list[Start]:
    """`test` (20), `validation` (10), `all` (both) or `<N>-fresh`. Raises `InvalidInput`, listing these."""
    if text == "all":
        return protocol_starts("test") + protocol_starts("validation")
    if text in STARTS:
        return protocol_starts(text)
    fresh = re.fullmatch(r"(\d{1,4})-fresh", text)
    if fresh is None or not 1 <= int(fresh[1]) <= _MOST_FRESH:
        raise InvalidInput(f"unknown starts {text!r}; valid: {', '.join(STARTS)}, or 1-fresh to {_MOST_FRESH}-fresh")
    return fresh_training_starts(int(fresh[1]))
