"""The scripted demonstrator: a closed loop over measured poses, written as a generator of joint targets, one a control tick.

It sees what no policy sees (the bag's and the mug's pose, contacts) and plans again whenever something slipped.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vla_demo.twin.grasping import OPEN, PITCHES, GraspPlanner
from vla_demo.twin.kinematics import PAN_AXIS_X, Grasp, pose_of, solve
from vla_demo.twin.scene import HOME, MUG_HEIGHT
from vla_demo.twin.world import TeaBagTwin

__all__ = ["Expert"]

Targets = Iterator[NDArray[np.float64]]

_CLOSED = -0.17  # rad
_SPEED = 1.6  # rad/s at the middle of a smoothstep
_SPEED_OF_JOINT = np.array([1, 1, 1, 1, 1.3, 2.0])  # relative
_CARRY_HEIGHT = 0.135  # m
_ABOVE_MUG, _INTO_MUG = MUG_HEIGHT + 0.055, MUG_HEIGHT + 0.022  # m
_ATTEMPTS = 5


class Expert:
    """`act()` gives the next joint target (6,) in rad until `done`. `phase` and `retries` tell what it is at."""

    def __init__(self, twin: TeaBagTwin) -> None:
        self._twin, self._planner = twin, GraspPlanner(twin)
        self.command = np.array(twin.data.ctrl)
        self.phase, self.retries, self.done = "start", 0, False
        self._plan = self._run()

    def act(self) -> NDArray[np.float64]:
        """The next joint target (6,) in rad; the last one again once `done`."""
        try:
            self.command = next(self._plan)
        except StopIteration:
            self.done = True
        return self.command.copy()

    def play(self, targets: Iterable[NDArray[np.float64]]) -> None:
        """Carry out some targets (6,) in rad at once; used to stage failures."""
        for target in targets:
            self.command = target
            self._twin.advance(target)

    # --- the task ----------------------------------------------------------------------------------------------------

    def _run(self) -> Targets:
        while self.retries < _ATTEMPTS and not self._bag_delivered():
            if not self._twin.measure().held:
                yield from self._fetch()
            if self._twin.measure().held:
                yield from self._deliver()
            if not self._bag_delivered():
                self.retries += 1
        self.phase = "home"
        yield from self.move(HOME[:5], HOME[5])
        yield from self.hold(5)

    def _bag_delivered(self) -> bool:
        now = self._twin.measure()
        return now.bag_in_mug and not now.held

    def _fetch(self) -> Targets:
        yield from self._raise()
        grasp = self._planner.plan(self.retries)
        above = self._planner.approach(grasp) if grasp is not None else None
        if grasp is None or above is None:
            yield from self.hold(10)
            return
        self.phase = "approach"
        arm = _arm_at(above)
        if abs(arm[0] - self.command[0]) > 0.25:  # a long pan goes over the mug, not through it
            yield from self.move(self._raised(arm), OPEN)
        yield from self.move(arm, OPEN)
        self.phase = "descend"
        yield from self._straight(above, grasp)
        yield from self.hold(2)
        self.phase = "close"
        yield from self.grip(_CLOSED, 10)
        yield from self.hold(5)
        self.phase = "lift"
        if not self._twin.measure().held:
            yield from self.grip(OPEN, 6)
        yield from self._straight(grasp, above)

    def _raise(self) -> Targets:
        """Up and open before anything else, when the hand is low."""
        self.phase = "raise"
        if pose_of(self.command)[0][2] >= 0.10:
            return
        (x, y, z), pitch = pose_of(self._twin.joints)
        for height in (0.10, 0.08, 0.06):
            arm = solve(Grasp((x, y, max(height, z + 0.01)), pitch, roll=float(self.command[4])))
            if arm is not None:
                yield from self.move(arm, OPEN)
                return

    def _deliver(self) -> Targets:
        self.phase = "carry"
        yield from self.move(self._raised(self.command[:5]))
        place = self._placement()
        if place is None or not self._twin.measure().held:
            return
        yield from self.move(_arm_at(place.at([*place.point[:2], _ABOVE_MUG])))
        self.phase = "lower"
        place = self._centred(place)
        yield from self.move(_arm_at(place.at([*place.point[:2], _INTO_MUG])), speed=0.6)
        if not self._twin.measure().held:
            return
        yield from self.hold(3)
        self.phase = "release"
        yield from self.grip(OPEN, 8)
        yield from self.hold(8)
        self.phase = "retreat"
        yield from self.move(_arm_at(place.at([*place.point[:2], _ABOVE_MUG])), speed=0.8)

    def _placement(self) -> Grasp | None:
        """The hand over the mug: as upright and as little turned as the reach allows."""
        x, y, _ = self._twin.measure().mug_position
        roll_now = float(self.command[4])
        fits = [
            Grasp((x, y, _INTO_MUG), pitch, roll=roll)
            for roll in (roll_now, 0.0, 0.5, -0.5, 1.0, -1.0)
            for pitch in PITCHES
            if _reaches_mug(Grasp((x, y, _INTO_MUG), pitch, roll=roll))
        ]
        return min(
            fits,
            key=lambda g: (math.pi / 2 - g.pitch) * 1.5 + abs((g.roll or 0) - roll_now) * 0.3 + abs(g.roll or 0) * 0.1,
            default=None,
        )

    def _centred(self, place: Grasp) -> Grasp:
        """Bring the bag, not the nominal grasp point, over the mug's axis."""
        now = self._twin.measure()
        off = (now.bag_position - now.mug_position)[:2]
        shifted = place.at([*(now.mug_position[:2] - off), _INTO_MUG])
        return shifted if np.hypot(*off) < 0.03 and _reaches_mug(shifted) else place

    # --- motions -----------------------------------------------------------------------------------------------------

    def move(self, arm: NDArray[np.float64], gripper: float | None = None, speed: float = 1.0) -> Targets:
        """Targets (6,) in rad: joint interpolation with a smoothstep to `arm` (5,) and `gripper`."""
        start, end = self.command.copy(), self.command.copy()
        end[:5] = arm
        if gripper is not None:
            end[5] = gripper
        seconds = np.max(np.abs(end - start) / _SPEED_OF_JOINT) / (_SPEED * speed) * 1.5
        ticks = max(4, math.ceil(seconds * 30))
        for k in range(1, ticks + 1):
            yield start + (end - start) * _smooth(k / ticks)

    def grip(self, gripper: float, ticks: int) -> Targets:
        """Targets (6,) in rad that move the gripper evenly to `gripper`."""
        start, end = self.command.copy(), self.command.copy()
        end[5] = gripper
        for k in range(1, ticks + 1):
            yield start + (end - start) * k / ticks

    def hold(self, ticks: int) -> Targets:
        """The present target (6,) in rad, `ticks` times."""
        for _ in range(ticks):
            yield self.command.copy()

    def _straight(self, start: Grasp, end: Grasp, speed: float = 0.12) -> Targets:
        """A straight line of the grasp point, m/s; points out of reach on the way are left out."""
        a, b = np.asarray(start.point), np.asarray(end.point)
        ticks = max(4, int(np.linalg.norm(b - a) / speed * 30))
        gripper = self.command[5]
        for k in range(1, ticks + 1):
            arm = solve(end.at(a + (b - a) * _smooth(k / ticks)))
            if arm is not None:
                yield np.array([*arm, gripper])

    def _raised(self, arm: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same pan and roll at carrying height, drawn in as far as needed."""
        point, _ = pose_of(arm)
        out = point[:2] - [PAN_AXIS_X, 0]
        reach = float(np.linalg.norm(out))
        for radius in (min(reach, 0.20), 0.19, 0.17, 0.15, 0.13):
            x, y = out / reach * radius
            for pitch in PITCHES:
                raised = solve(Grasp((PAN_AXIS_X + x, y, _CARRY_HEIGHT), pitch, roll=float(arm[4]), offset=0.0))
                if raised is not None:
                    return raised
        return HOME[:5].copy()


def _smooth(s: float) -> float:
    return s * s * (3 - 2 * s)


def _arm_at(grasp: Grasp) -> NDArray[np.float64]:
    """For grasps whose reach was checked when they were chosen."""
    arm = solve(grasp)
    if arm is None:
        raise ValueError(f"{grasp} was chosen although it is out of reach")
    return arm


def _reaches_mug(place: Grasp) -> bool:
    x, y, _ = place.point
    return solve(place.at([x, y, _ABOVE_MUG])) is not None and solve(place.at([x, y, _INTO_MUG])) is not None
