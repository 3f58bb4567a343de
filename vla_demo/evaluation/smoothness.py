"""How smooth a plan is, and whether one plan continues the other: what a motor feels. Works on any chunks, recorded ones too.

Definitions, on actions in standard deviations, f control ticks a second:
  jerk           f^3 times the root mean square third difference of the actions over a chunk, all joints: the second difference of the
                 joints' velocities, as in arXiv 2603.19131 (which squares it), in standard deviations per second cubed
  boundary jump  |first action of a plan - last action carried out of the plan before| over the median |step| inside the plan's carried
                 out part; 1 is a step like any other (after RTC, Black et al., NeurIPS 2025, which compares accelerations there)
  gripper flips  changes of direction of the commanded gripper a second, steps under a hundredth of a standard deviation not counted
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.evaluation.sensitivity import Smoothness

__all__ = ["Plan", "chunk_smoothness", "gripper_joint"]

STILL = 0.01  # standard deviations; a step below it is no movement
Actions = NDArray[np.float64]  # (T, J) standard deviations


@dataclass(frozen=True, slots=True)
class Plan:
    """One chunk, and the last action carried out before it where that is known."""

    actions: Actions  # (T, J) standard deviations
    before: NDArray[np.float64] | None  # (J,)


def chunk_smoothness(plans: Sequence[Plan], fps: float, carried_out: int, gripper: int | None) -> Smoothness:
    """Means over plans; None where no plan is long enough, no plan before is known, or there is no gripper.

    `carried_out` actions of each plan are executed before the next.
    """
    jerks = [_jerk(p.actions, fps) for p in plans if len(p.actions) > 3]
    jumps = [jump for p in plans if p.before is not None and (jump := _jump(p.actions[:carried_out], p.before)) is not None]
    flips = [_flips(p.actions[:, gripper], fps) for p in plans if gripper is not None and len(p.actions) > 2]
    return Smoothness(_mean(jerks), _mean(jumps), _mean(flips))


def gripper_joint(joint_names: Sequence[str]) -> int | None:
    """Which joint is the gripper: the one whose name says so, if exactly one does."""
    found = [i for i, name in enumerate(joint_names) if "gripper" in name.lower()]
    return found[0] if len(found) == 1 else None


def _jerk(actions: Actions, fps: float) -> float:
    third = np.diff(actions, n=3, axis=0)
    return float(fps**3 * np.sqrt(np.mean(np.square(third))))


def _jump(actions: Actions, before: NDArray[np.float64]) -> float | None:
    """None when the plan stands still: no step to compare with."""
    steps = np.linalg.norm(np.diff(actions, axis=0), axis=1)
    usual = float(np.median(steps)) if len(steps) else 0.0
    return float(np.linalg.norm(actions[0] - before)) / usual if usual > 0 else None


def _flips(gripper: NDArray[np.float64], fps: float) -> float:
    steps = np.diff(gripper)
    directions = np.sign(steps[np.abs(steps) >= STILL])
    return float(np.count_nonzero(np.diff(directions))) * fps / len(gripper)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None
