"""Each measure against a case that can be worked out by hand, and against one that must not pass."""

import numpy as np
import pytest

from vla_demo.evaluation.metrics import ActionScale, Tolerance, cosine, mean_abs, percentiles, share_within

SO101 = ("shoulder_pan.pos", "gripper.pos")
UNIT = ActionScale.of([0, 0], [1, 1], "dataset")


def actions(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_mean_abs_is_taken_joint_by_joint() -> None:
    np.testing.assert_allclose(mean_abs(actions((1, 5), (3, 5)), actions((0, 5), (0, 9))), [2.0, 2.0])


def test_cosine_of_the_same_opposite_and_orthogonal_plans() -> None:
    plan = actions((1, 2), (3, 4))
    assert cosine(plan, plan, UNIT) == pytest.approx(1.0)
    assert cosine(plan, -plan, UNIT) == pytest.approx(-1.0)
    assert cosine(actions((1, 0)), actions((0, 1)), UNIT) == pytest.approx(0.0)


def test_cosine_lets_no_joint_outweigh_the_others() -> None:
    """In raw degrees the big joint hides that the small one points the other way."""
    a, b = actions((100, 1)), actions((100, -1))
    assert cosine(a, b, UNIT) > 0.999
    assert cosine(a, b, ActionScale.of([0, 0], [100, 1], "dataset")) == pytest.approx(0.0)


def test_cosine_of_two_plans_that_stay_at_the_mean_is_one() -> None:
    still = ActionScale.of([7, 7], [1, 1], "dataset")
    assert cosine(actions((7, 7)), actions((7, 7)), still) == 1.0
    assert cosine(actions((7, 7)), actions((8, 7)), still) == 0.0


def test_a_joint_that_never_moved_does_not_blow_up() -> None:
    scale = ActionScale.of([0, 0], [0.0, 2.0], "dataset")
    assert scale.std.tolist() == [1.0, 2.0]


def test_share_within_needs_every_joint_of_a_row() -> None:
    recorded = actions((0, 0), (0, 0), (0, 0), (0, 0))
    executed = actions((4, 4), (6, 0), (0, 6), (5, 5))
    assert share_within(executed, recorded, [5, 5]) == 0.5


def test_tolerance_knows_degrees_only_on_the_robot_it_knows() -> None:
    scale = ActionScale.of([0, 0], [8, 4], "dataset")
    so101 = Tolerance.for_joints(SO101, scale)
    assert dict(so101.by_joint) == {"shoulder_pan.pos": 5.0, "gripper.pos": 5.0} and "5°" in so101.definition
    other = Tolerance.for_joints(("x", "y"), scale)
    assert dict(other.by_joint) == {"x": 2.0, "y": 1.0} and "standard deviations" in other.definition


def test_percentiles_of_one_value_are_that_value() -> None:
    assert percentiles([3.0]) == {"p50": 3.0, "p95": 3.0}
    assert percentiles(list(range(101))) == {"p50": 50.0, "p95": 95.0}
