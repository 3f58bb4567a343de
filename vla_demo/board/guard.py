"""Between a policy and the servos: whatever it is asked for, what it answers keeps the limits. Pure arithmetic: no clock, thread or arm.

A chunk that is nonsense is refused as a whole. An action that merely goes too far, too fast or too abruptly is followed as far as the
limits allow. The pose that was commanded last is where everything goes on from; nothing is ever set to zero.

Every pose commanded is one from which braking within the acceleration limit stays inside all limits: so the next step can always at least
brake. Ticks that come sooner after each other than a period are given only the way that their time allows; one that comes late, that of
a period.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vla_demo.board.limits import Joints, Limits
from vla_demo.core.errors import InvalidInput, VlaDemoError

__all__ = ["ChunkRejected", "Guard"]

MOST_ACTIONS = 1000  # a chunk
_LOOKS = 9  # along the way to a stop
STALLED = 0.25  # s between two goals after which the arm stands at the first: braking from the highest speed takes less
_SHORTEST = 1e-4  # s between two goals
_STANDING = 1e-6  # units/s
_NOTICEABLE = 0.5  # units between what was asked for and what is done


class ChunkRejected(VlaDemoError):
    """What a policy planned is nonsense; nothing of it is written."""

    code = "chunk-rejected"


class Guard:
    """Keeps `limits` at one action a `period` (s). Begin with `begin`; every `step` and `brake` answers the goal to write now."""

    def __init__(self, limits: Limits, period: float) -> None:
        if not period > 0:
            raise InvalidInput(f"a control period of {period:g} s is none")
        self.limits, self._period = limits, period
        self._low, self._high = limits.low, limits.high
        self._fastest, self._strongest = limits.max_velocity, limits.max_acceleration
        self._dt = period  # s, of this tick
        self._commanded: Joints | None = None
        self._velocity: Joints = np.zeros(len(limits.joints))
        self._target: Joints | None = None  # of the step before, for its velocity
        self.limited = False  # whether the last step was not what it was asked for

    @property
    def commanded(self) -> Joints | None:
        """(J,) the goal written last; None before `begin`."""
        return None if self._commanded is None else self._commanded.copy()

    @property
    def standing(self) -> bool:
        """Whether the goal no longer changes when it brakes."""
        return bool((np.abs(self._velocity) <= _STANDING).all())

    def begin(self, measured: ArrayLike) -> None:
        """From now on go on from where the arm is. Raises `InvalidInput` when that is not known."""
        pose = np.array(measured, np.float64)
        if pose.shape != self._low.shape or not np.isfinite(pose).all():
            raise InvalidInput(f"the arm does not say where it is: {pose}")
        self._commanded, self._velocity, self._target = pose, np.zeros_like(pose), None

    def check_chunk(self, actions: ArrayLike) -> None:
        """Raise `ChunkRejected`, saying which joint and action, when a plan (T, J) is nonsense."""
        plan = np.asarray(actions, np.float64)
        if plan.ndim != 2 or plan.shape[1] != len(self._low) or not 1 <= len(plan) <= MOST_ACTIONS:
            raise ChunkRejected(f"a chunk of shape {plan.shape} is none of 1 to {MOST_ACTIONS} actions of {len(self._low)} joints")
        self._refuse(~np.isfinite(plan), "is not a finite number", plan)
        room = self.limits.outside * (self._high - self._low)
        self._refuse((plan < self._low - room) | (plan > self._high + room), "is far outside the joint's range", plan)
        steps = np.abs(np.diff(plan, axis=0, prepend=plan[:1]))
        self._refuse(steps > self.limits.jump * self._fastest * self._period, "is a jump from the action before", plan)

    def step(self, target: ArrayLike, measured: ArrayLike | None = None, elapsed: float = math.inf) -> NDArray[np.float32]:
        """The goal (J,) of this tick on the way to `target`; one that is not finite or has another shape is answered by braking.

        `measured` (J,) is where the arm is, for the gripper; `elapsed` s have gone by since the goal before was written.
        """
        wanted = np.asarray(target, np.float64)
        if wanted.shape != self._low.shape or not np.isfinite(wanted).all():
            self.limited = True
            return self.brake(elapsed)
        self._set_elapsed(elapsed)
        reachable = self._not_squeezing(np.clip(wanted, self._low, self._high), measured)
        velocity = self._kept_above_floor(self._limit_velocity(self._tracking(reachable)))
        goal = self._advance(velocity)
        self._target, self.limited = reachable, bool(np.abs(goal - wanted).max() > _NOTICEABLE)
        return goal

    def brake(self, elapsed: float = math.inf) -> NDArray[np.float32]:
        """The goal (J,) of this tick on the way to standing still, as fast as the acceleration limit allows."""
        self._set_elapsed(elapsed)
        self._target = None
        return self._advance(self._velocity_after_braking(self._velocity, self._dt))

    def _set_elapsed(self, elapsed: float) -> None:
        """Of this tick. After a pause in which nobody could write, as of a stopped process, the arm stands at its last goal."""
        self._dt = min(max(elapsed, _SHORTEST), self._period)
        if STALLED < elapsed < math.inf:
            self._velocity, self._target = np.zeros_like(self._velocity), None

    def _tracking(self, target: Joints) -> Joints:
        """The velocity that follows a moving target, and closes what is left of the way to it without overshooting."""
        assert self._commanded is not None
        before = target if self._target is None else self._target
        behind = before - self._commanded
        closing = np.sign(behind) * np.minimum(np.abs(behind) / self._dt, self._fastest_to_stop_in(np.abs(behind)))
        return np.asarray((target - before) / self._dt + closing)

    def _limit_velocity(self, velocity: Joints) -> Joints:
        """The nearest velocity that keeps the limits of velocity and acceleration, and stops before the end of each joint's range."""
        assert self._commanded is not None
        slowest = np.maximum(-self._fastest, -self._fastest_to_stop_in(self._commanded - self._low))
        fastest = np.minimum(self._fastest, self._fastest_to_stop_in(self._high - self._commanded))
        wanted = np.clip(velocity, slowest, fastest)
        gain = self._strongest * self._dt
        return np.clip(wanted, self._velocity - gain, self._velocity + gain)

    def _kept_above_floor(self, velocity: Joints) -> Joints:
        """Brake the joints that raise and lower the arm, when braking after this step would end below the floor; the others go on."""
        floor = self.limits.floor
        if floor is None:
            return velocity
        path = self._braking_path(velocity)
        below = floor.heights(np.vstack([path, self._gliding_path(velocity)])) < floor.lowest
        if not below.any() or self._is_rising(path):
            return velocity
        braked = velocity.copy()
        joints = list(floor.joints)
        braked[joints] = self._velocity_after_braking(self._velocity, self._dt)[joints]
        return braked

    def _is_rising(self, path: Joints) -> bool:
        """Out of a place below the floor, where somebody may have put the arm, every way up is open."""
        floor, start = self.limits.floor, self._commanded
        assert floor is not None and start is not None
        heights = floor.heights(np.vstack([start[None], path])).min(axis=-1)
        return bool(heights[0] < floor.lowest and (np.diff(heights) >= 0).all())

    def _braking_path(self, velocity: Joints) -> Joints:
        """(N, J) the poses of this tick and of those after it when it brakes from then on, a period each."""
        assert self._commanded is not None
        pose = self._commanded + velocity * self._dt
        poses = [pose]
        while (np.abs(velocity) > _STANDING).any():
            velocity = self._velocity_after_braking(velocity, self._period)
            pose = pose + velocity * self._period
            poses.append(pose)
        return np.stack(poses)

    def _gliding_path(self, velocity: Joints) -> Joints:
        """(N, J) the same for ticks that come as soon after each other as can be, which takes the longest way."""
        assert self._commanded is not None
        stopping = np.abs(velocity) / self._strongest
        times = np.minimum(np.linspace(0, stopping.max(), _LOOKS)[:, None], stopping)
        way = np.sign(velocity) * (np.abs(velocity) * times - self._strongest * times**2 / 2)
        return np.asarray(self._commanded + velocity * self._dt + way)

    def _fastest_to_stop_in(self, distance: Joints) -> Joints:
        """The speed v that this tick and braking after it bring to a stop within `distance`: v dt + v^2/(2a), however long the ticks."""
        gain = self._strongest * self._dt
        return np.asarray(np.sqrt(gain**2 + 2 * self._strongest * np.maximum(distance, 0)) - gain)

    def _not_squeezing(self, target: Joints, measured: ArrayLike | None) -> Joints:
        gripper = self.limits.gripper
        if gripper is None or measured is None:
            return target
        held_open = float(np.asarray(measured, np.float64)[gripper.joint])
        if np.isfinite(held_open):
            target[gripper.joint] = max(target[gripper.joint], min(held_open - gripper.max_squeeze, self._high[gripper.joint]))
        return target

    def _advance(self, velocity: Joints) -> NDArray[np.float32]:
        if self._commanded is None:
            raise InvalidInput("the guard was not told where the arm is")
        self._velocity = velocity
        self._commanded = self._commanded + velocity * self._dt
        return self._commanded.astype(np.float32)

    def _velocity_after_braking(self, velocity: Joints, seconds: float) -> Joints:
        """After so long of braking."""
        return np.asarray(np.sign(velocity) * np.maximum(np.abs(velocity) - self._strongest * seconds, 0))

    def _refuse(self, wrong: NDArray[np.bool_], what: str, plan: Joints) -> None:
        if wrong.any():
            action, joint = (int(place) for place in np.argwhere(wrong)[0])
            raise ChunkRejected(f"action {action + 1} of {len(plan)}: {self.limits.joints[joint].name} at {plan[action, joint]:g} {what}")
