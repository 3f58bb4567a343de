"""What an arm is and may do: its joints, its reach above the desk, and when it must stand still. Data only; `guard` keeps to it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput

__all__ = ["CameraSize", "Floor", "Gripper", "JointLimit", "Limits", "Patience", "RobotDescription", "Segment"]

Joints = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JointLimit:
    """One joint in dataset units: degrees, or 0 to 100 for a gripper."""

    name: str
    unit: str
    low: float
    high: float
    max_velocity: float  # units/s
    max_acceleration: float  # units/s^2

    def __post_init__(self) -> None:
        if not (self.low < self.high and 0 < self.max_velocity < math.inf and 0 < self.max_acceleration < math.inf):
            raise InvalidInput(f"the limits of {self.name} are empty: {self.low:g} to {self.high:g}, {self.max_velocity:g} units/s")


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece of the arm in its vertical plane; it begins where the one before ends."""

    length: float  # m
    at_zero: float  # rad above the horizontal when all joints are at 0
    turned_by: tuple[tuple[int, float], ...]  # joint index, and +1 or -1: how its degrees turn this piece


@dataclass(frozen=True, slots=True)
class Floor:
    """No end of a segment may be commanded below `lowest`. Heights in m above the desk."""

    lowest: float
    base: float  # of the first segment's beginning
    segments: tuple[Segment, ...]

    def heights(self, joints: Joints) -> Joints:
        """(..., S) of the segments' ends for joints (..., J) in degrees."""
        rises = [
            segment.length * np.sin(segment.at_zero + sum(sign * np.radians(joints[..., joint]) for joint, sign in segment.turned_by))
            for segment in self.segments
        ]
        return np.asarray(self.base + np.cumsum(np.stack(rises, axis=-1), axis=-1))

    @property
    def joints(self) -> tuple[int, ...]:
        """Which ones move a segment's end up or down."""
        return tuple(sorted({joint for segment in self.segments for joint, _ in segment.turned_by}))


@dataclass(frozen=True, slots=True)
class Gripper:
    """A position-controlled gripper presses the harder the further its goal lies inside what it holds: that distance is its force."""

    joint: int
    max_squeeze: float  # units its goal may lie below where it measurably is


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long, s, the arm goes on without something, and how often a policy may fail."""

    observation: float = 0.5  # age of the newest pictures and joints when a chunk is asked for
    plan: float = 30.0  # age of the observation behind an executed action; the slowest published policy takes 29 s
    starvation: float = 35.0  # standing still while the policy is silent
    failures_in_a_row: int = 3  # rejected, late or failed chunks


@dataclass(frozen=True, slots=True)
class Limits:
    """All that the guard enforces."""

    joints: tuple[JointLimit, ...]
    floor: Floor | None = None
    gripper: Gripper | None = None
    patience: Patience = Patience()
    outside: float = 0.1  # share of a joint's range by which a planned action may lie outside it, to be clipped, before it is nonsense
    jump: float = 4.0  # times a joint's largest velocity that two planned actions may ask for, to be slowed down, before they are nonsense

    @property
    def low(self) -> Joints:
        """(J,) least goal of each joint, dataset units."""
        return np.array([joint.low for joint in self.joints])

    @property
    def high(self) -> Joints:
        """(J,) largest goal of each joint, dataset units."""
        return np.array([joint.high for joint in self.joints])

    @property
    def max_velocity(self) -> Joints:
        """(J,) dataset units per second."""
        return np.array([joint.max_velocity for joint in self.joints])

    @property
    def max_acceleration(self) -> Joints:
        """(J,) dataset units per second squared."""
        return np.array([joint.max_acceleration for joint in self.joints])


@dataclass(frozen=True, slots=True)
class CameraSize:
    name: str
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class RobotDescription:
    """What two sides of a link must agree on before anything moves."""

    kind: str  # "twin", "so101"
    id: str
    calibration: str  # sha256 of the calibration; empty where there is none
    limits: Limits
    cameras: tuple[CameraSize, ...]
