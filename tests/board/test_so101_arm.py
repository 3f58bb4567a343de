"""LeRobot's own driver on six servos that speak the real protocol on a pseudo-terminal. No motor was here."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.board.feetech import CURRENT, GOAL, MAX_TORQUE, PRESENT, PROTECTIVE, RANGES, TORQUE, FeetechArm, calibration_file
from tests.board.web_camera import web_camera
from tests.waiting import look_on, wait_until
from vla_demo.board.cameras import FROZEN
from vla_demo.board.guard import Guard
from vla_demo.board.so101 import JOINTS, so101_description
from vla_demo.board.so101_arm import ArmSettings, So101Arm
from vla_demo.core.errors import InvalidInput, VlaDemoError


@pytest.fixture
def servos() -> Iterator[FeetechArm]:
    arm = FeetechArm()
    yield arm
    arm.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return calibration_file(tmp_path).parent


@pytest.fixture
def arm(servos: FeetechArm, folder: Path) -> Iterator[So101Arm]:
    arm = So101Arm(ArmSettings(servos.port, "tea", {}, calibration=folder))
    yield arm
    arm.close()


def trouble(arm: So101Arm) -> str:
    """What it says when it is asked where it is; nothing while all is well."""
    try:
        arm.measure()
    except VlaDemoError as error:
        return str(error)
    return ""


def wait_for_trouble(arm: So101Arm, words: str) -> None:
    """On a busy machine it may speak of a silent bus first."""
    wait_until(lambda: words in trouble(arm), what=words)


def test_it_goes_where_it_is_sent_and_stays_there(arm: So101Arm, servos: FeetechArm) -> None:
    goal = arm.measure()[1] + np.array([20, -10, 5, 0, 30, 10], np.float32)
    arm.send(goal)
    wait_until(lambda: np.abs(arm.measure()[1] - goal).max() < 0.2)
    written = len(servos.goals)
    look_on(0.3)
    assert np.abs(arm.measure()[1] - goal).max() < 0.2 and len(servos.goals) == written


def test_a_limp_arm_gets_its_torque_where_it_is(folder: Path) -> None:
    servos = FeetechArm()
    servos.put(1, GOAL, RANGES[0][1])  # what it was told yesterday
    before = servos.positions()
    arm = So101Arm(ArmSettings(servos.port, "tea", {}, calibration=folder))
    look_on(0.3)
    assert all(servo[TORQUE] for servo in servos.servos.values()) and servos.positions() == before
    arm.close()


def test_ending_leaves_the_arm_held_and_a_new_board_never_lets_it_go(arm: So101Arm, servos: FeetechArm, folder: Path) -> None:
    servos.lost_torque = False
    arm.close()
    assert all(servo[TORQUE] for servo in servos.servos.values())
    So101Arm(ArmSettings(servos.port, "tea", {}, calibration=folder)).close()
    assert all(servo[TORQUE] for servo in servos.servos.values()) and not servos.lost_torque


def test_a_held_arm_that_another_program_set_up_is_refused(servos: FeetechArm, folder: Path) -> None:
    for i in servos.servos:
        servos.servos[i][TORQUE] = 1
    servos.put(6, MAX_TORQUE, 1000)
    with pytest.raises(VlaDemoError, match="set up by another program"):
        So101Arm(ArmSettings(servos.port, "tea", {}, calibration=folder))


def test_broken_packets_are_asked_for_again(arm: So101Arm, servos: FeetechArm) -> None:
    servos.garbled = 3
    before = arm.measure()[0]
    wait_until(lambda: servos.garbled == 0 and arm.measure()[0] > before + 0.1)
    assert arm.measure()[1] == pytest.approx([0, 0, 0, 0, 0, 50], abs=0.1)


@pytest.mark.parametrize("fault", ["unplugged", "silent", "garbled"])
def test_a_bus_that_is_gone_is_said_so_and_takes_no_goal(arm: So101Arm, servos: FeetechArm, fault: str) -> None:
    if fault == "unplugged":
        servos.pull_the_plug()
    servos.silent, servos.garbled = fault == "silent", 10_000 if fault == "garbled" else 0
    wait_for_trouble(arm, "have not answered for 0.3 s")
    with pytest.raises(VlaDemoError, match=r"holds its last goal"):
        arm.send(np.zeros(6, np.float32))


def test_a_servo_that_pushes_too_hard_for_too_long_is_trouble(arm: So101Arm, servos: FeetechArm) -> None:
    servos.put(3, CURRENT, 0x8000 | servos.get(3, PROTECTIVE))  # in the other direction
    wait_for_trouble(arm, "elbow_flex pushed with the servo's protective current")


def test_a_servo_just_below_its_protective_current_is_none(arm: So101Arm, servos: FeetechArm) -> None:
    servos.put(3, CURRENT, servos.get(3, PROTECTIVE) - 1)
    look_on(1.2)
    assert "current" not in trouble(arm)


def test_servos_that_lost_their_torque_are_named(arm: So101Arm, servos: FeetechArm) -> None:
    servos.servos[2][TORQUE] = 0
    wait_for_trouble(arm, "shoulder_lift lost torque")


def test_another_arms_calibration_is_refused_and_nothing_is_written(servos: FeetechArm, folder: Path) -> None:
    servos.put(4, 9, RANGES[3][0] + 1)
    with pytest.raises(InvalidInput, match=r"calibrated otherwise than .*tea.json says.*lerobot-calibrate --robot.type=so101_follower"):
        So101Arm(ArmSettings(servos.port, "tea", {}, calibration=folder))
    assert not servos.goals and not any(servo[TORQUE] for servo in servos.servos.values())


def test_an_arm_without_calibration_is_refused_with_the_command_that_makes_one(servos: FeetechArm, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds no calibration.*--robot.id=nobody"):
        So101Arm(ArmSettings(servos.port, "nobody", {}, calibration=tmp_path))


def test_a_port_without_an_arm_is_said_so(folder: Path) -> None:
    with pytest.raises(VlaDemoError, match="no SO-101 answers at /dev/nothing"):
        So101Arm(ArmSettings("/dev/nothing", "tea", {}, calibration=folder))


def test_its_limits_are_those_of_its_calibration_and_its_hash_changes_with_it(arm: So101Arm, folder: Path) -> None:
    robot = so101_description("so101", "tea", arm.calibration, arm.ranges, arm.camera_sizes)
    assert robot.limits.joints[0].high == pytest.approx((RANGES[0][1] - RANGES[0][0]) / 2 * 360 / 4095)
    guard = Guard(robot.limits, 1 / 30)
    guard.begin(arm.measure()[1])
    goals = [guard.step(np.array([200, 0, 0, 0, 0, 50])) for _ in range(60)]
    assert goals[-1][0] == pytest.approx(robot.limits.joints[0].high)
    made = json.loads((folder / "tea.json").read_text())
    made["gripper"]["homing_offset"] += 1
    arm_before, arm._robot.calibration["gripper"].homing_offset = arm.calibration, made["gripper"]["homing_offset"]
    assert arm.calibration != arm_before and len(arm_before) == 64


def test_pictures_are_as_old_as_they_are(servos: FeetechArm, folder: Path) -> None:
    with web_camera() as camera:
        arm = So101Arm(ArmSettings(servos.port, "tea", {"top": camera.device}, calibration=folder))
        assert arm.camera_sizes == [("top", 24, 32)]
        assert arm.observe().images["top"].shape == (24, 32, 3)
        wait_until(lambda: age_of_pictures(arm) < 0.5, what="a fresh picture")
        camera.repeating = True
        wait_until(lambda: age_of_pictures(arm) > FROZEN, what="one picture for ever being called old")
        camera.repeating = False
        wait_until(lambda: age_of_pictures(arm) < 0.5, what="a fresh picture")
        camera.frozen = True
        wait_until(lambda: age_of_pictures(arm) > 1.2, what="a stuck camera's picture growing old")
        arm.close()  # a camera that is stuck does not crash it


def age_of_pictures(arm: So101Arm) -> float:
    """s; not a number while the servos do not answer, as on a busy machine."""
    try:
        return time.monotonic() - arm.observe().captured_at
    except VlaDemoError:
        return math.nan


def test_the_servos_are_the_six_that_the_driver_knows() -> None:
    from tests.board import feetech

    assert feetech.JOINTS == JOINTS and PRESENT == 56
