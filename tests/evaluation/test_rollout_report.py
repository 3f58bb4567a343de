"""Two batches in pairs: a difference is said only where the discordant starts carry it."""

from collections.abc import Sequence

import pytest

from vla_demo.core.variant import StageChoice, Variant
from vla_demo.evaluation.attempts import Attempts
from vla_demo.evaluation.closed_loop import LoopReport, Rollout, TriedStart
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import RolloutReport, paired, told_apart

LOOP = LoopReport(30, 3, 2, 20, 5, 0, 0, 0, (0,) * 30, None, None, None)


def batch(won: Sequence[bool], mode: str = "sync", precision: str = "fp32", latency: str = "0") -> RolloutReport:
    tried = tuple(TriedStart(i, 1 + i % 3, Rollout(Attempts(success, 30, 1, 0), LOOP)) for i, success in enumerate(won))
    variant = Variant((StageChoice("vision", "fp32"), StageChoice("expert", precision)), 10)
    return RolloutReport(variant, mode, given_latency(latency), 30.0, tried)


@pytest.mark.parametrize(
    ("only", "verdict", "words"),
    [
        ((0, 0), "not distinguishable", "solved the same of the 30 starts"),
        ((1, 0), "not distinguishable", "1 was solved only with sync and 0 only with async (McNemar's exact test: p = 1)"),
        ((5, 0), "not distinguishable", "p = 0.062): that does not tell them apart"),
        ((6, 0), "different", "sync solves more of such starts"),
        ((1, 9), "different", "async solves more of such starts"),
        ((9, 5), "not distinguishable", "p = 0.42): that does not tell them apart"),
    ],
)
def test_mcnemar_s_sentence_claims_no_more_than_the_counts_carry(only: tuple[int, int], verdict: str, words: str) -> None:
    rest = 30 - sum(only)
    one = batch([*[True] * only[0], *[False] * only[1], *[True] * rest])
    other = batch([*[False] * only[0], *[True] * only[1], *[True] * rest], mode="async")
    found = paired(one, other, told_apart(one, other))
    assert (found["only_first"], found["only_second"], found["n"], found["verdict"]) == (*only, 30, verdict)
    assert words in found["sentence"]


def test_batches_are_called_by_what_differs_in_them() -> None:
    assert told_apart(batch([True]), batch([True], precision="int8")) == ("expert=fp32", "expert=int8")
    assert told_apart(batch([True]), batch([True], mode="async", latency="2860")) == ("sync, 0 ms", "async, 2860 ms")
