"""The twin's model and its fixed facts: joint names, ranges, sizes. Knows where things are, not what to do with them."""

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BAG_HALF_SIZE",
    "CAMERAS",
    "HOME",
    "INSTRUCTION",
    "JOINT_NAMES",
    "JOINT_RANGE",
    "MUG_HEIGHT",
    "MUG_RADIUS",
    "SUBSTEPS",
    "from_dataset_units",
    "load_model",
    "to_dataset_units",
]

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
JOINT_NAMES = tuple(f"{j}.pos" for j in JOINTS)  # as LeRobot's SO-101 writes them into a dataset
JOINT_RANGE = np.array([[-1.92, 1.92], [-1.745, 1.745], [-1.69, 1.69], [-1.658, 1.658], [-2.744, 2.744], [-0.1745, 1.745]])  # rad
HOME = np.array([0.0, -1.2, 1.2, 1.0, 0.0, 0.2])  # rad; folded back, out of the top camera's way
CAMERAS = ("top", "gripper", "left")
INSTRUCTION = "Grab the tea bag and place it in the mug."
SUBSTEPS = 20  # of 1/600 s: exactly one control tick of 1/30 s
MUG_RADIUS = 0.041  # m, inside
MUG_HEIGHT = 0.075  # m
BAG_HALF_SIZE = (0.02, 0.02, 0.005)  # m


def load_model() -> mujoco.MjModel:
    """A fresh model; the mug is moved by writing its `body_pos`, so worlds do not share one."""
    return mujoco.MjModel.from_xml_path(str(Path(__file__).with_name("scene.xml")))


def to_dataset_units(radians: NDArray[np.float64]) -> NDArray[np.float32]:
    """Joint angles (6,) in rad as LeRobot's SO-101 records them: five in degrees, the gripper 0 (closed) to 100 (open)."""
    low, high = JOINT_RANGE[5]
    values = np.degrees(radians)
    values[5] = (radians[5] - low) / (high - low) * 100
    return np.asarray(values, dtype=np.float32)


def from_dataset_units(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The inverse of `to_dataset_units`: (6,) in dataset units to (6,) in rad, not clipped to the joint ranges."""
    low, high = JOINT_RANGE[5]
    radians = np.radians(np.asarray(values, dtype=np.float64))
    radians[5] = low + float(values[5]) / 100 * (high - low)
    return radians
