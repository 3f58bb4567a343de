"""The verdict on the article's own rows, and the closed form of the idle share against the loop itself."""

import itertools

import numpy as np
import pytest

from tests.runtime.loops import idle_share
from vla_demo.core.errors import InvalidInput
from vla_demo.runtime.feasibility import feasibility

ACT, SMOLVLA = 100, 50  # actions a chunk


@pytest.mark.parametrize(
    ("latency", "chunk", "fps", "covered", "sustained"),
    [
        (2.86, ACT, 30, True, False),
        (2.86, ACT, 60, False, False),
        (0.32, ACT, 30, True, True),
        (0.32, ACT, 60, True, True),
        (6.15, SMOLVLA, 30, False, False),
        (29.1, SMOLVLA, 30, False, False),
    ],
)
@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_the_articles_rows(latency: float, chunk: int, fps: float, covered: bool, sustained: bool, threshold: float) -> None:
    verdict = feasibility(latency, chunk, fps, threshold)
    assert (verdict.covered, verdict.sustained) == (covered, sustained)
    assert (verdict.covered_slack_ms > 0) == covered and (verdict.sustained_slack_ms >= 0) == sustained
    assert (verdict.idle_share == 0) == sustained


def test_act_in_fp32_passes_the_articles_rule_and_stands_still_two_ticks_of_five() -> None:
    assert feasibility(2.86, ACT, 30, 0.5).idle_share == pytest.approx(0.42, abs=0.005)


def test_the_articles_threshold_leaves_13_ms_at_60_fps() -> None:
    assert feasibility(0.32, ACT, 60, 0.2).sustained_slack_ms == pytest.approx(13.3, abs=0.1)


def test_at_the_highest_fps_the_rule_still_holds_and_just_above_no_more() -> None:
    verdict = feasibility(0.32, ACT, 30, 0.2)
    assert feasibility(0.32, ACT, verdict.sustained_fps * 0.999, 0.2).sustained
    assert not feasibility(0.32, ACT, verdict.sustained_fps * 1.001, 0.2).sustained
    assert not feasibility(0.32, ACT, verdict.covered_fps * 1.001, 0.2).covered


@pytest.mark.parametrize(("delay", "threshold"), itertools.product([0, 10, 25, 40, 60, 86, 172], [0.2, 0.5, 0.9]))
def test_the_idle_share_is_what_the_loop_measures(delay: int, threshold: float) -> None:
    predicted = feasibility(delay / 30, ACT, 30, threshold).idle_share
    assert idle_share(delay / 30, ACT, 30, threshold) == pytest.approx(predicted, abs=0.02)


def test_with_no_latency_every_rate_holds() -> None:
    assert np.isinf(feasibility(0.0, ACT, 30, 0.2).sustained_fps)


@pytest.mark.parametrize("wrong", [(-1, 100, 30, 0.5), (1, 0, 30, 0.5), (1, 100, 0, 0.5), (1, 100, 30, 1.5)])
def test_impossible_numbers_are_refused(wrong: tuple[float, int, float, float]) -> None:
    with pytest.raises(InvalidInput, match="threshold 0 to 1"):
        feasibility(*wrong)
