"""Whether two errors add up."""

import numpy as np
import pytest

from vla_demo.evaluation.composition import two_by_two
from vla_demo.evaluation.sensitivity import TwoByTwo

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((2, 6, 8, 6))
EPISODES = [0, 0, 1, 1, 2, 2]


def square(prefix: np.ndarray, expert: np.ndarray, both: np.ndarray) -> TwoByTwo:
    return two_by_two("int8", prefix, expert, both, EPISODES)


def test_errors_that_add_leave_no_residual() -> None:
    found = square(A, B, A + B)
    assert found.residual == pytest.approx(0, abs=1e-12) and found.cosine == pytest.approx(1)
    assert found.ratio == pytest.approx(np.sqrt(0.5), rel=0.1)  # two unrelated directions


def test_the_same_error_twice_adds_in_full() -> None:
    assert square(A, A, 2 * A).ratio == pytest.approx(1)


def test_an_interaction_is_seen() -> None:
    found = square(A, B, 5 * (A + B))
    assert found.residual == pytest.approx(0.8) and found.cosine == pytest.approx(1)
    assert found.ratio is not None and found.ratio > 3
    assert square(A, B, -(A + B)).cosine == pytest.approx(-1)


def test_sizes_are_root_mean_squares() -> None:
    assert square(A, 0 * A, A).prefix.mean == pytest.approx(np.mean(np.sqrt(np.mean(A**2, axis=(1, 2)))))
    assert square(A, 0 * A, A).expert.mean == 0


def test_no_error_has_no_ratio() -> None:
    found = square(0 * A, 0 * A, 0 * A)
    assert (found.ratio, found.residual, found.cosine) == (None, None, None)
