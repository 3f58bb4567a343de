"""Where to take the bag: candidate grasps from its measured pose, ranked by how natural they are and whether the hand fits there.

Uses the privileged pose; a policy never sees any of this.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_demo.twin.kinematics import Grasp, solve, wrap
from vla_demo.twin.scene import BAG_HALF_SIZE, JOINTS
from vla_demo.twin.world import Measurements, TeaBagTwin

__all__ = ["OPEN", "PITCHES", "GraspPlanner"]

OPEN = 0.62  # rad, about 6.4 cm between the pads
PITCHES = tuple(math.radians(p) for p in (90, 82, 74, 66, 58, 50, 42))
_LOWEST_TIP = 0.002  # m above the table: 1 mm scrapes
_FINGER_THICKNESS = -0.008  # m, inner face of the fixed pad along the closing axis
_CHECKED_FOR_COLLISION = 24


class Clearance:
    """How deep the hand would be in the table, the mug or the bag, on a scratch copy of the world."""

    def __init__(self, twin: TeaBagTwin) -> None:
        self._twin, self._scratch = twin, mujoco.MjData(twin.model)
        model = twin.model
        hand = {model.body(b).id for b in ("lower_arm", "wrist", "gripper", "moving_jaw")}
        self._hand = np.array([b in hand for b in model.geom_bodyid])
        mug, table = model.body("mug").id, model.geom("table").id
        self._obstacle = np.array([b == mug or g == table for g, b in enumerate(model.geom_bodyid)])
        self._bag = np.arange(model.ngeom) == model.geom("bag").id
        self._address = np.array([model.joint(j).qposadr[0] for j in JOINTS])

    def penetration(self, arm: NDArray[np.float64], gripper: float) -> float:
        """Summed depth in m with joints `arm` (5,) and `gripper` in rad; obstacles count tenfold: the bag gives way and they do not."""
        data = self._scratch
        data.qpos[:] = self._twin.data.qpos
        data.qpos[self._address] = [*arm, gripper]
        mujoco.mj_kinematics(self._twin.model, data)
        mujoco.mj_collision(self._twin.model, data)
        total = 0.0
        for contact in data.contact[: data.ncon]:
            a, b = contact.geom
            if self._hand[a] == self._hand[b]:
                continue
            other = b if self._hand[a] else a
            weight = 10.0 if self._obstacle[other] else 1.0 if self._bag[other] else 0.0
            total += weight * max(0.0, -contact.dist)
        return total


@dataclass(frozen=True, slots=True)
class _Candidate:
    grasp: Grasp
    cost: float


class GraspPlanner:
    """Ranks grasps; a retry asks for the next best."""

    def __init__(self, twin: TeaBagTwin) -> None:
        self._twin = twin
        self.clearance = Clearance(twin)

    def plan(self, attempt: int) -> Grasp | None:
        """The best grasp for the bag where it lies now, or None when none is reachable."""
        likely = sorted(self._candidates(self._twin.measure()), key=lambda c: c.cost)[:_CHECKED_FOR_COLLISION]
        ranked = sorted(likely, key=lambda c: c.cost + self._obstruction(c.grasp))
        return ranked[min(2 * attempt, len(ranked) - 1)].grasp if ranked else None

    def approach(self, grasp: Grasp) -> Grasp | None:
        """A reachable pose straight above, clear of everything if there is one."""
        reachable = [g for g in (grasp.above(dz) for dz in (0.06, 0.045, 0.03, 0.02)) if solve(g) is not None]
        for above in reachable:
            arm = solve(above)
            if arm is not None and self.clearance.penetration(arm, OPEN) < 1e-4:
                return above
        return reachable[-1] if reachable else None

    def _obstruction(self, grasp: Grasp) -> float:
        arm = solve(grasp)
        blocked = self.clearance.penetration(arm, OPEN) * 300 if arm is not None else 1e3
        return blocked + (0.0 if solve(grasp.above(0.045)) is not None else 0.3)

    def _candidates(self, now: Measurements) -> Iterator[_Candidate]:
        for axis, yaw in _level_axes(now.bag_axes):
            for side in (0.0, math.pi):
                for turn in (0.0, 0.3, -0.3, 0.6, -0.6, 0.785):
                    for pitch in PITCHES[:6]:
                        yield from _candidate(now, axis, yaw + side, turn, pitch)


def _level_axes(axes: NDArray[np.float64]) -> Iterator[tuple[int, float]]:
    """The bag's axes that lie roughly in the table's plane, with their yaw."""
    for i in range(3):
        if np.hypot(axes[0, i], axes[1, i]) > 0.5:
            yield i, math.atan2(axes[1, i], axes[0, i])


def _candidate(now: Measurements, axis: int, yaw: float, turn: float, pitch: float) -> Iterator[_Candidate]:
    x, y, height = now.bag_position
    z = max(_LOWEST_TIP, height - 0.012) + 0.007 * math.cos(pitch)
    half_width = BAG_HALF_SIZE[axis] * (abs(math.cos(turn)) + abs(math.sin(turn)))
    grasp = Grasp((x, y, z), pitch, closing_yaw=yaw + turn, offset=_FINGER_THICKNESS + half_width + 0.003)
    arm = solve(grasp)
    if arm is None:
        return
    roll = float(arm[4])
    across_the_string = (0.35, 0.0, 0.2)[axis]  # closing along the string would catch it
    cost = abs(wrap(roll)) * 0.5 + (math.pi / 2 - pitch) * 1.5 + across_the_string + abs(turn) * 0.8
    yield _Candidate(grasp, cost + abs(math.sin(roll) * math.cos(pitch)) * 6)
