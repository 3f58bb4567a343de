"""The arm's limits against MuJoCo's own arm and the demonstrator's motion."""

import mujoco
import numpy as np
import pytest

from vla_demo.board.guard import Guard
from vla_demo.board.so101 import JOINTS, SO101_FLOOR, so101_description
from vla_demo.twin.demonstrations import solve
from vla_demo.twin.kinematics import pose_of
from vla_demo.twin.scene import JOINT_RANGE, to_dataset_units
from vla_demo.twin.starts import fresh_start
from vla_demo.twin.world import TeaBagTwin

RANGES = tuple(to_dataset_units(JOINT_RANGE[:, side].copy()).tolist() for side in (0, 1))
ROBOT = so101_description("twin", "twin", "", RANGES, [("top", 240, 320)])  # type: ignore[arg-type]


def test_heights_are_those_of_the_simulated_arm() -> None:
    """The tip between MuJoCo's pads lies up to 1 cm off the middle line of the hand."""
    twin, random = TeaBagTwin((24, 32)), np.random.default_rng(0)
    for _ in range(50):
        joints = random.uniform(JOINT_RANGE[:, 0], JOINT_RANGE[:, 1])
        twin.data.qpos[twin._joint_address] = joints
        mujoco.mj_forward(twin.model, twin.data)
        height = SO101_FLOOR.heights(to_dataset_units(joints).astype(float))[-1]
        assert height == pytest.approx(twin.measure().tip_position[2], abs=0.01)
        joints[4] = 0.0
        assert SO101_FLOOR.heights(to_dataset_units(joints).astype(float))[-1] == pytest.approx(pose_of(joints)[0][2], abs=1e-6)


def test_the_demonstrators_motion_is_not_slowed_down() -> None:
    solved = solve(TeaBagTwin((24, 32)), fresh_start(600_001))
    assert solved is not None
    actions = np.stack(solved)
    guard = Guard(ROBOT.limits, 1 / 30)
    guard.begin(actions[0])
    guard.check_chunk(actions[:100])
    followed = np.stack([guard.step(action) for action in actions])
    assert np.abs(followed - actions).max() < 1.0  # degrees, or of the gripper's 100: it meets the end of its range gently


def test_every_joint_has_a_unit_and_a_range() -> None:
    assert [joint.name for joint in ROBOT.limits.joints] == list(JOINTS)
    assert [joint.unit for joint in ROBOT.limits.joints] == ["deg"] * 5 + ["0 to 100"]
