import math

import mujoco
import numpy as np
import pytest

from vla_demo.twin.kinematics import Grasp, pose_of, solve
from vla_demo.twin.world import TeaBagTwin


@pytest.mark.parametrize("point", [(0.2, -0.1, 0.02), (0.15, 0.1, 0.05), (0.25, 0.0, 0.05)])
def test_straight_down_forward_kinematics_inverts_the_inverse(point):
    arm = solve(Grasp(point, math.pi / 2, roll=0.3))
    assert arm is not None
    reached, pitch = pose_of(arm)
    np.testing.assert_allclose(reached, point, atol=1e-9)
    assert pitch == pytest.approx(math.pi / 2)


@pytest.mark.parametrize("point", [(0.2, -0.1, 0.02), (0.22, -0.08, 0.06), (0.25, 0.0, 0.05)])
def test_pitched_far_out_it_is_good_to_a_fifth_of_a_millimetre(point):
    arm = solve(Grasp(point, 1.1, roll=0.3))
    assert arm is not None
    np.testing.assert_allclose(pose_of(arm)[0], point, atol=2e-4)


def test_the_formulas_agree_with_the_simulated_arm():
    twin = TeaBagTwin()
    arm = solve(Grasp((0.22, -0.08, 0.04), math.pi / 2, roll=0.4, offset=0.0))
    twin.data.qpos[twin._joint_address] = [*arm, 0.2]
    mujoco.mj_kinematics(twin.model, twin.data)
    tip = twin.measure().tip_position  # the site sits 5.5 mm behind the tip and on the centre line
    np.testing.assert_allclose(tip[:2], [0.22, -0.08], atol=1e-3)
    assert tip[2] == pytest.approx(0.04 + 0.0055, abs=1e-3)


def test_out_of_reach_has_no_solution():
    assert solve(Grasp((0.6, 0.0, 0.05), math.pi / 2, roll=0.0)) is None


def test_closing_yaw_turns_the_hand_and_the_offset_shifts_it():
    straight = solve(Grasp((0.2, 0.0, 0.05), math.pi / 2, closing_yaw=math.pi / 2))
    turned = solve(Grasp((0.2, 0.0, 0.05), math.pi / 2, closing_yaw=math.pi / 2 + 0.5))
    assert straight is not None and turned is not None
    assert turned[4] - straight[4] == pytest.approx(-0.5, abs=0.1)
