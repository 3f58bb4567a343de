"""The one way to the servos: every goal passes the guard, and none follows a policy any more once the arm was told to stop."""

import math
import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.board.guard import Guard
from vla_demo.core.errors import BoardError, VlaDemoError
from vla_demo.core.observation import Clock, Observation
from vla_demo.runtime.control_loop import Answer, Request, Worker

__all__ = ["GuardedArm", "GuardedWorker", "Hardware", "NotNow", "Stale"]

_MOST_APART = 15.0  # units between where the arm was told to be and where it is, beyond which it goes on from where it is


class Hardware(Protocol):
    """An arm with cameras. No call waits for anything but `rearrange` and `close`; all raise `VlaDemoError` when it is gone."""

    def observe(self) -> Observation:
        """The newest pictures and joints; `captured_at` in s of this board's monotonic clock."""
        ...

    def measure(self) -> tuple[float, NDArray[np.float32]]:
        """When and where the joints (J,) were last measured."""
        ...

    def send(self, goal: NDArray[np.float32]) -> None:
        """Head for `goal` (J,) in dataset units until the next one comes."""
        ...

    def rearrange(self, start: str) -> None:
        """Set the scene; only a simulated world can. Raises `InvalidInput`."""
        ...

    def close(self) -> None: ...


class NotNow(BoardError):
    """What was asked does not fit the state the arm is in."""

    code = "not-now"


class Stale(VlaDemoError):
    """A camera or the joints have not been heard of for too long."""

    code = "stale"


class GuardedArm:
    """A control loop's body. May be stopped from any thread: when `forbid` returns, every goal from then on brakes."""

    def __init__(self, hardware: Hardware, guard: Guard, clock: Clock, instruction: str = "") -> None:
        self.guard = guard
        self._hardware, self._guard, self._clock = hardware, guard, clock
        self._turn = threading.Lock()
        self._allowed = False
        self._written_at = -math.inf
        self.instruction = instruction  # instead of the hardware's own, when not empty

    def observe(self) -> Observation:
        """Raises `Stale` for what is too old to plan from."""
        seen = self._hardware.observe()
        age, most = self._clock.now() - seen.captured_at, self._guard.limits.patience.observation
        if not age <= most:
            raise Stale(f"the newest pictures are {age:.2f} s old, {most:g} s are allowed: a camera or the board is stuck")
        instruction = self.instruction or seen.instruction
        return Observation(seen.images, seen.joints, instruction, seen.captured_at)

    def newest(self) -> Observation | None:
        """What the cameras saw last, however old; None when they do not answer. For those who only look."""
        try:
            return self._hardware.observe()
        except VlaDemoError:
            return None

    def measured(self) -> NDArray[np.float32]:
        """(J,) newest. Raises `Stale` when that is too old."""
        at, joints = self._hardware.measure()
        age, most = self._clock.now() - at, self._guard.limits.patience.observation
        if not age <= most:
            raise Stale(f"the joints were last heard of {age:.2f} s ago, {most:g} s are allowed")
        return joints

    def act(self, action: NDArray[np.float32]) -> None:
        """One tick towards `action` (J,) in dataset units, as far as the guard lets it; one of braking when stopped. Raises `Stale`."""
        measured = self.measured()
        with self._turn:
            elapsed = self._since_last_goal()
            self._hardware.send(self._guard.step(action, measured, elapsed) if self._allowed else self._guard.brake(elapsed))

    def hold(self) -> None:
        """One tick of braking, or nothing: servos hold their last goal by themselves."""
        with self._turn:
            if self._guard.commanded is not None and not self._guard.standing:
                self._hardware.send(self._guard.brake(self._since_last_goal()))

    def _since_last_goal(self) -> float:
        """s; notes that one is written now."""
        before, self._written_at = self._written_at, self._clock.now()
        return self._written_at - before

    def permit(self) -> None:
        """Let policies move it again; moves nothing. An arm that is not where it was told to be goes on from where it is."""
        measured = self.measured()
        with self._turn:
            commanded = self._guard.commanded
            if commanded is None or np.abs(commanded - measured).max() > _MOST_APART:
                self._guard.begin(measured)
            self._allowed = True

    def forbid(self) -> None:
        with self._turn:
            self._allowed = False

    def rearrange(self, start: str) -> None:
        """Set a simulated scene anew; where the arm is then, it goes on from."""
        self._hardware.rearrange(start)
        with self._turn:
            self._guard.begin(self._hardware.measure()[1])

    @property
    def standing(self) -> bool:
        with self._turn:
            return self._guard.commanded is None or self._guard.standing

    @property
    def limited(self) -> bool:
        """Whether the guard changed the last action."""
        return self._guard.limited

    @property
    def commanded(self) -> NDArray[np.float32]:
        """(J,) the goal written last; where the arm is, when none was."""
        commanded = self._guard.commanded
        return self._hardware.measure()[1] if commanded is None else commanded.astype(np.float32)


class GuardedWorker:
    """Hands on what a worker answers, but a chunk that the guard refuses as a failure: nothing of it is ever queued."""

    def __init__(self, worker: Worker, guard: Guard) -> None:
        self._worker, self._guard = worker, guard
        self.rejected = 0

    def ask(self, request: Request) -> None:
        self._worker.ask(request)

    def answer(self) -> Answer | None:
        answer = self._worker.answer()
        if answer is None or isinstance(answer.outcome, VlaDemoError):
            return answer
        try:
            self._guard.check_chunk(answer.outcome.actions)
        except VlaDemoError as refusal:
            self.rejected += 1
            return Answer(answer.request, refusal)
        return answer
