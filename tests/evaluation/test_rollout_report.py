"""Two batches in pairs: a difference is said only where the discordant starts carry it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import StageChoice, Variant
from vla_demo.evaluation.attempts import Attempts
from vla_demo.evaluation.closed_loop import LoopReport, Rollout, TriedStart
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import RolloutReport, name_apart, paired, rollout_report

LOOP = LoopReport(30, 3, 2, 20, 5, 0, 0, 0, (0,) * 30, None, None, None)


def batch(won: Sequence[bool], mode: str = "sync", precision: str = "fp32", latency: str = "0") -> RolloutReport:
    tried = tuple(TriedStart(i, 1 + i % 3, Rollout(Attempts(success, 30, 1, 0), LOOP)) for i, success in enumerate(won))
    variant = Variant((StageChoice("vision", "fp32"), StageChoice("expert", precision)), 10)
    return rollout_report(variant, mode, given_latency(latency), 30.0, tried)


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
    found = paired(one, other, name_apart(one, other))
    assert (found.only_first, found.only_second, found.n, found.verdict) == (*only, 30, verdict)
    assert words in found.sentence


def test_batches_are_called_by_what_differs_in_them() -> None:
    assert name_apart(batch([True]), batch([True], precision="int8")) == ("FP32, 10 steps", "vision FP32, expert INT8, 10 steps")
    slow = batch([True], mode="async", latency="2860")
    assert name_apart(batch([True]), slow) == ("sync, no latency", "async, 2.86 s of latency")


def test_a_report_is_read_back_as_it_was_written() -> None:
    report = batch([True, False])
    assert RolloutReport.read(report.as_json(traces=True)) == report
    short = RolloutReport.read(report.as_json())
    assert short == replace(report, starts=tuple(replace(start, queue_depths=()) for start in report.starts))


@pytest.mark.parametrize(
    ("changed", "complaint"), [({"surprise": 1}, "surprise"), ({"starts": [1]}, "no report"), ({"jerk": "high"}, "jerk is 'high'")]
)
def test_what_is_no_report_is_refused_by_name(changed: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        RolloutReport.read({**batch([True]).as_json(), **changed})
