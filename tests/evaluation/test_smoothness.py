"""What a motor feels, on motions with known derivatives."""

import numpy as np
import pytest

from vla_demo.evaluation.smoothness import Plan, chunk_smoothness, gripper_joint

FPS = 30.0
SECONDS = np.arange(60)[:, None] / FPS


def smooth(actions: np.ndarray, before: np.ndarray | None = None, gripper: int | None = None) -> tuple[float | None, ...]:
    found = chunk_smoothness([Plan(actions, before)], FPS, carried_out=30, gripper=gripper)
    return found.jerk, found.boundary_jump, found.gripper_flips


def test_constant_acceleration_has_no_jerk_and_a_cubic_has_its_own() -> None:
    assert smooth(SECONDS**2)[0] == pytest.approx(0, abs=1e-8)
    assert smooth(SECONDS**3)[0] == pytest.approx(6, rel=1e-6)


def test_a_plan_that_goes_on_jumps_by_one_step() -> None:
    line = SECONDS * np.ones((1, 3))
    assert smooth(line, before=-line[1])[1] == pytest.approx(1)
    assert smooth(line, before=-5 * line[1])[1] == pytest.approx(5)
    assert smooth(line)[1] is None
    assert smooth(0 * line, before=line[1])[1] is None  # it stands still: no step to compare with


def test_the_jump_is_compared_with_the_part_that_is_carried_out() -> None:
    bent = np.concatenate([np.arange(30), 30 + 100 * np.arange(30)])[:, None].astype(float)
    assert smooth(bent, before=np.array([-1.0]))[1] == pytest.approx(1)


def test_flips_are_changes_of_direction_a_second() -> None:
    sway = np.tile([0.0, 1.0], 30)[:, None]
    assert smooth(sway, gripper=0)[2] == pytest.approx(58 * FPS / 60)
    assert smooth(SECONDS, gripper=0)[2] == 0
    assert smooth(0.001 * sway, gripper=0)[2] == 0  # too small to be a movement
    assert smooth(sway)[2] is None


def test_the_gripper_is_the_joint_that_is_called_so() -> None:
    assert gripper_joint(["elbow.pos", "gripper.pos"]) == 1
    assert gripper_joint(["left_gripper", "right_gripper"]) is None and gripper_joint(["a"]) is None


def test_too_short_a_plan_says_nothing() -> None:
    assert smooth(SECONDS[:2], gripper=0) == (None, None, None)
