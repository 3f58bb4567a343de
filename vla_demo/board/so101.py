"""The limits of the SO-101 and of its twin: one arm, whoever moves it. How it is reached is another module's business."""

import math
from collections.abc import Sequence

from vla_demo.board.limits import CameraSize, Floor, Gripper, JointLimit, Limits, Patience, RobotDescription, Segment

__all__ = ["JOINTS", "SO101_FLOOR", "so101_description"]

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
# The demonstrator of the bundled recordings moves at up to 118 degrees/s and 1360 degrees/s^2, its gripper at 154 and 4630 units.
_ARM_VELOCITY, _ARM_ACCELERATION = 180.0, 1800.0  # degrees/s, degrees/s^2
_GRIPPER_VELOCITY, _GRIPPER_ACCELERATION = 300.0, 6000.0  # units/s, units/s^2
_MAX_SQUEEZE = 25.0  # units
# Upper arm, forearm and hand in the arm's vertical plane, after the SO-101 of MuJoCo Menagerie; joints 1 to 3 turn them.
_UPPER, _UPPER_TILT = math.hypot(0.028, 0.11257), math.atan2(0.028, 0.11257)
_LOWER, _LOWER_TILT = math.hypot(0.1349, 0.0052), math.atan2(0.0052, 0.1349)
SO101_FLOOR = Floor(
    lowest=-0.005,  # m; the demonstrator's hand is commanded down to 2 mm above the desk, and a policy errs by some millimetres
    base=0.1166,
    segments=(
        Segment(_UPPER, math.pi / 2 - _UPPER_TILT, ((1, -1.0),)),
        Segment(_LOWER, _LOWER_TILT, ((1, -1.0), (2, -1.0))),
        Segment(0.0611 + 0.103, 0.0, ((1, -1.0), (2, -1.0), (3, -1.0))),
    ),
)


def so101_description(
    kind: str,
    id: str,
    calibration: str,
    ranges: tuple[Sequence[float], Sequence[float]],
    cameras: Sequence[tuple[str, int, int]],
    patience: Patience = Patience(),  # noqa: B008  frozen
) -> RobotDescription:
    """An SO-101 with these joint ranges (lows, highs; dataset units) and cameras (name, height, width)."""
    joints = tuple(
        JointLimit(
            name=name,
            unit="0 to 100" if name == "gripper" else "deg",
            low=low,
            high=high,
            max_velocity=_GRIPPER_VELOCITY if name == "gripper" else _ARM_VELOCITY,
            max_acceleration=_GRIPPER_ACCELERATION if name == "gripper" else _ARM_ACCELERATION,
        )
        for name, low, high in zip(JOINTS, *ranges, strict=True)
    )
    limits = Limits(joints, SO101_FLOOR, Gripper(JOINTS.index("gripper"), _MAX_SQUEEZE), patience)
    return RobotDescription(kind, id, calibration, limits, tuple(CameraSize(*camera) for camera in cameras))
