"""Closed-form kinematics of the twin's arm: five joints for a grasp point, a pitch and the direction in which the jaws close.

Valid because the scene puts every joint axis into the pan plane. Lengths in m, angles in rad.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vla_demo.twin.scene import JOINT_RANGE

__all__ = ["PAN_AXIS_X", "Grasp", "pose_of", "solve", "wrap"]

PAN_AXIS_X = 0.0388
_LIFT_FORWARD, _LIFT_HEIGHT = 0.0304, 0.1166
_UPPER, _UPPER_TILT = math.hypot(0.028, 0.11257), math.atan2(0.028, 0.11257)
_LOWER, _LOWER_TILT = math.hypot(0.1349, 0.0052), math.atan2(0.0052, 0.1349)
_WRIST_TO_TIP = 0.0611 + 0.103
TOUCHING_FIXED_PAD = 0.012  # m along the closing axis: where a bag's centre is when the bag touches the fixed pad
_RANGE_MARGIN = 0.01  # rad kept free at the joint limits


@dataclass(frozen=True, slots=True)
class Grasp:
    """Where the gripper is to be: the grasp point and how the hand is turned there."""

    point: tuple[float, float, float]
    pitch: float  # pi/2: straight down
    closing_yaw: float | None = None  # world yaw of the closing axis, or
    roll: float | None = None  # a fixed wrist roll
    offset: float = TOUCHING_FIXED_PAD  # of the grasp point along the closing axis

    def at(self, point: ArrayLike) -> "Grasp":
        x, y, z = np.asarray(point, dtype=float)
        return replace(self, point=(float(x), float(y), float(z)))

    def above(self, dz: float) -> "Grasp":
        x, y, z = self.point
        return replace(self, point=(x, y, z + dz))


def wrap(angle: float) -> float:
    """Into [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def solve(grasp: Grasp) -> NDArray[np.float64] | None:
    """The five arm joints (5,) for a grasp, or None when it is out of reach or beyond a joint limit."""
    target = np.asarray(grasp.point)
    pan, roll, wrist = _pan_and_roll(target, grasp)
    forward = math.hypot(wrist[0] - PAN_AXIS_X, wrist[1]) - _LIFT_FORWARD
    up = wrist[2] - _LIFT_HEIGHT
    distance = math.hypot(forward, up)
    if not abs(_UPPER - _LOWER) + 1e-4 < distance < _UPPER + _LOWER - 1e-4:
        return None
    shoulder = math.atan2(up, forward) + math.acos((_UPPER**2 + distance**2 - _LOWER**2) / (2 * _UPPER * distance))
    lift = math.pi / 2 - _UPPER_TILT - shoulder
    forearm = math.atan2(up - _UPPER * math.sin(shoulder), forward - _UPPER * math.cos(shoulder))
    elbow = _LOWER_TILT - forearm - lift
    joints = np.array([pan, lift, elbow, grasp.pitch - lift - elbow, roll])
    inside = (joints > JOINT_RANGE[:5, 0] + _RANGE_MARGIN) & (joints < JOINT_RANGE[:5, 1] - _RANGE_MARGIN)
    return joints if inside.all() else None


def pose_of(joints: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Grasp point (3,) and pitch of an arm configuration: the inverse of `solve`."""
    pan, lift, elbow, wrist, roll = joints[:5]
    shoulder = math.pi / 2 - _UPPER_TILT - lift
    forearm = _LOWER_TILT - lift - elbow
    pitch = lift + elbow + wrist
    forward = _LIFT_FORWARD + _UPPER * math.cos(shoulder) + _LOWER * math.cos(forearm)
    up = _LIFT_HEIGHT + _UPPER * math.sin(shoulder) + _LOWER * math.sin(forearm)
    wrist_point = np.array([PAN_AXIS_X + forward * math.cos(-pan), forward * math.sin(-pan), up])
    return wrist_point + _hand(pan, pitch, roll) @ np.array([_WRIST_TO_TIP, TOUCHING_FIXED_PAD, 0.0]), pitch


def _pan_and_roll(target: NDArray[np.float64], grasp: Grasp) -> tuple[float, float, NDArray[np.float64]]:
    """Pan and roll depend on each other through the grasp point's offset; a dozen rounds settle them exactly straight down.

    Pitched hands are met to 0.2 mm far out and to 2 cm in the worst case near the base, which the expert's feedback takes up.
    """
    pan = -math.atan2(target[1], target[0] - PAN_AXIS_X)
    roll, wrist = 0.0, target
    for _ in range(12):
        roll = grasp.roll if grasp.roll is not None else wrap(math.pi / 2 - (grasp.closing_yaw or 0.0) - pan)
        wrist = target - _hand(pan, grasp.pitch, roll) @ np.array([_WRIST_TO_TIP, grasp.offset, 0.0])
        pan = -math.atan2(wrist[1], wrist[0] - PAN_AXIS_X)
    return pan, roll, wrist


def _hand(pan: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Rotation (3, 3) of the hand in the world."""
    cz, sz, cp, sp, cr, sr = math.cos(-pan), math.sin(-pan), math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll)
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return np.asarray(about_z @ about_y @ about_x)
