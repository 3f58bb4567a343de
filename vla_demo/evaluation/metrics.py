"""How far two action sequences are apart, each measure with its definition. Rows are ticks, columns are joints, in dataset units.

It does not know which of the two is a recording, a reference or a variant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["ActionScale", "Tolerance", "cosine", "mean_abs", "percentiles", "share_within"]

Actions = NDArray[np.float32]

# A joint that never moved in the data would blow any difference up to infinity.
SMALLEST_STD = 1e-6
SO101_JOINTS = {"shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"}
SO101_TOLERANCE = 5.0  # degrees; gripper: of 100
OTHER_TOLERANCE_STD = 0.25


@dataclass(frozen=True, slots=True)
class ActionScale:
    """Center and spread of each joint's action: what makes degrees and gripper percent comparable."""

    mean: NDArray[np.float64]  # (J,)
    std: NDArray[np.float64]  # (J,) > 0
    source: str  # "checkpoint" | "dataset" | "episode": whose statistics these are

    @classmethod
    def of(cls, mean: Sequence[float] | NDArray[np.float64], std: Sequence[float] | NDArray[np.float64], source: str) -> Self:
        """From `mean` and `std` (J,) in dataset units; a joint whose spread is under 1e-6 is left unscaled."""
        spread = np.asarray(std, dtype=np.float64)
        return cls(np.asarray(mean, dtype=np.float64), np.where(spread < SMALLEST_STD, 1.0, spread), source)

    def normalized(self, actions: Actions) -> NDArray[np.float64]:
        """(..., J) in dataset units to (..., J) in standard deviations from the mean."""
        normalized: NDArray[np.float64] = (actions - self.mean) / self.std
        return normalized


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far from the recorded action still counts as the same. No paper sets a standard; this is our own measure."""

    by_joint: Mapping[str, float]  # dataset units
    definition: str  # for a person

    @classmethod
    def for_joints(cls, joint_names: Sequence[str], scale: ActionScale) -> Self:
        """On an SO-101 5 degrees and 5 % of the gripper's opening; on any other robot a quarter of the joint's spread."""
        if {name.removesuffix(".pos") for name in joint_names} <= SO101_JOINTS:
            text = "share of executed actions with every joint within 5° (gripper: 5 of 100) of the recorded action"
            return cls(dict.fromkeys(joint_names, SO101_TOLERANCE), text)
        text = f"share of executed actions with every joint within {OTHER_TOLERANCE_STD} standard deviations of the recorded action"
        return cls({name: OTHER_TOLERANCE_STD * float(s) for name, s in zip(joint_names, scale.std, strict=True)}, text)


def mean_abs(a: Actions, b: Actions) -> NDArray[np.float64]:
    """(J,) mean absolute difference of each joint."""
    means: NDArray[np.float64] = np.abs(a.astype(np.float64) - b).mean(axis=0)
    return means


def cosine(a: Actions, b: Actions, scale: ActionScale) -> float:
    """Cosine of the angle between two chunks (T, J), each joint centered and divided by its spread, so that none outweighs the others.

    1 when both are zero: two policies that both stay at the mean agree.
    """
    u, v = scale.normalized(a).ravel(), scale.normalized(b).ravel()
    lengths = float(np.linalg.norm(u) * np.linalg.norm(v))
    if lengths == 0.0:
        return 1.0 if np.array_equal(u, v) else 0.0
    return min(1.0, float(u @ v) / lengths)


def share_within(a: Actions, b: Actions, tolerance: Sequence[float]) -> float:
    """Share of the T rows of `a` and `b` (T, J) in which every joint differs by at most its tolerance (dataset units)."""
    return float((np.abs(a.astype(np.float64) - b) <= np.asarray(tolerance)).all(axis=1).mean())


def percentiles(values: Sequence[float]) -> Mapping[str, float]:
    """Median and 95th percentile, interpolated linearly (numpy's default)."""
    return {"p50": float(np.percentile(values, 50)), "p95": float(np.percentile(values, 95))}
