"""A variant's chunks beside FP32's and beside the recording."""

import numpy as np
import pytest

from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.comparison import by_position, compare, differences, error_vs_recorded, verdict
from vla_demo.evaluation.metrics import ActionScale

STD = np.array([2.0, 4.0])
SCALE = ActionScale.of([0.0, 0.0], STD, "checkpoint")
CHUNKS = [np.random.default_rng(i).standard_normal((5, 2)).astype(np.float32) for i in range(4)]
EPISODES = [0, 0, 1, 1]


def test_a_shift_by_half_a_standard_deviation_is_an_error_of_a_half() -> None:
    found = compare([c + (0.5 * STD).astype(np.float32) for c in CHUNKS], CHUNKS, SCALE, EPISODES)
    assert found.error.mean == pytest.approx(0.5, rel=1e-6)
    assert (found.max_abs, found.p95) == pytest.approx((0.5, 0.5), rel=1e-5)
    assert found.min_cosine < 1


def test_the_same_chunks_have_no_error() -> None:
    found = compare(CHUNKS, CHUNKS, SCALE, EPISODES)
    assert found.error == Interval(0, 0, 0) and found.max_abs == 0 and found.min_cosine == pytest.approx(1)


def test_a_recording_that_ends_inside_a_chunk_is_compared_as_far_as_it_goes() -> None:
    broken_off = [c[:2] for c in CHUNKS]
    assert error_vs_recorded(CHUNKS, broken_off, SCALE, EPISODES).mean == 0


def test_positions_are_told_apart() -> None:
    late = [c + np.array([[0], [0], [0], [0], [2]], np.float32) * STD.astype(np.float32) for c in CHUNKS]
    np.testing.assert_allclose(by_position(differences(late, CHUNKS, SCALE)), [0, 0, 0, 0, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("variant", "words"),
    [(Interval(5, 1.9, 9), "not distinguishable"), (Interval(5, 2.1, 9), "worse"), (Interval(0, -1, 0.5), "better")],
)
def test_a_verdict_needs_intervals_that_do_not_overlap(variant: Interval, words: str) -> None:
    assert verdict(variant, Interval(1.5, 1, 2), EPISODES) == words


def test_one_episode_tells_nothing() -> None:
    assert verdict(Interval(9, 9, 9), Interval(1, 1, 1), [4, 4, 4]) == "not distinguishable"
