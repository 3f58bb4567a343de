"""The thread that drives the arm, and the states it can be in: STOPPED, READY, RUNNING, FAULT.

It begins STOPPED. Only a reset makes it READY, only from READY can a task start, and whatever goes wrong ends in FAULT. Stopping takes
effect before the call returns: no goal written after that follows a policy. Nothing here knows the network, but for one question that is
asked every tick: is somebody still there?
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from vla_demo.board.arm import GuardedArm, GuardedWorker, NotNow
from vla_demo.board.limits import Limits
from vla_demo.board.recordings import NoRecorder, Recorder
from vla_demo.core.errors import VlaDemoError
from vla_demo.core.observation import ActionChunk, Clock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, Tick
from vla_demo.runtime.threaded_worker import ThreadedWorker

__all__ = ["DriveState", "DrivenTick", "Driver", "Task"]

logger = logging.getLogger(__name__)

REMEMBERED = 300  # ticks


class DriveState(Enum):
    STOPPED = "stopped"
    READY = "ready"
    RUNNING = "running"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Task:
    """What to run: a policy, and how the loop should go."""

    infer: Callable[[Request], ActionChunk]
    settings: LoopSettings
    instruction: str = ""
    about: Mapping[str, str] = field(default_factory=dict)  # policy, variant and package, for a recording


@dataclass(frozen=True, slots=True)
class DrivenTick:
    """One control period of a task, for those who watch."""

    number: int  # since the process began
    at: float  # s, the board's clock
    late: float  # s behind the schedule
    commanded: NDArray[np.float32]  # (J,)
    measured: NDArray[np.float32]  # (J,)
    queue: int
    starved: bool
    limited: bool


@dataclass(slots=True)
class Counts:
    """Since the task began."""

    inferences: int = 0
    starved_ticks: int = 0
    late_ticks: int = 0
    limited_ticks: int = 0
    rejected_chunks: int = 0
    inference_s: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    stage_ms: deque[Mapping[str, float]] = field(default_factory=lambda: deque(maxlen=32))  # of the same inferences


class Driver:
    """One arm. `link_lost` is asked every tick and says why nobody is there any more, or None. Close it."""

    def __init__(
        self,
        arm: GuardedArm,
        limits: Limits,
        hz: float,
        clock: Clock,
        link_lost: Callable[[], str | None],
        recorder: Recorder | None = None,
    ) -> None:
        self.arm, self.limits, self.hz = arm, limits, hz
        self.recorder = recorder or NoRecorder()
        self._clock, self._link_lost = clock, link_lost
        self._turn = threading.RLock()
        self._state, self._reason = DriveState.STOPPED, "the board has just started"
        self._task: Task | None = None
        self._closed = False
        self._number = 0
        self._starved_since: float | None = None
        self.counts = Counts()
        self.ticks: deque[DrivenTick] = deque(maxlen=REMEMBERED)
        self._thread = threading.Thread(target=self._drive, name="control", daemon=True)
        self._thread.start()

    @property
    def state(self) -> tuple[DriveState, str]:
        """And why."""
        with self._turn:
            return self._state, self._reason

    def stop(self, reason: str) -> None:
        """Latched until a reset; a fault stays one. May be called from any thread, at any time, any number of times."""
        with self._turn:
            self.arm.forbid()
            if self._state is not DriveState.FAULT:
                self._state, self._reason = DriveState.STOPPED, reason

    def reset(self) -> None:
        """Make it ready; nothing moves. Raises `NotNow` while it runs or still moves, `Stale` when nobody knows where the arm is."""
        with self._turn:
            if self._state is DriveState.RUNNING or not self.arm.standing:
                raise NotNow("the arm is moving; stop it first")
            self.arm.measured()
            self._state, self._reason = DriveState.READY, "reset"

    def start(self, task: Task) -> None:
        """Raises `NotNow` unless it is ready."""
        with self._turn:
            self.expect_ready()
            if not self.arm.standing:
                raise NotNow("the arm is still coming to rest")
            self.counts, self._starved_since = Counts(), None
            self.arm.instruction = task.instruction
            self.arm.permit()
            self._task = task
            self._state, self._reason = DriveState.RUNNING, "the task runs"

    def pause(self) -> None:
        """End the task, smoothly; it stays ready. Raises `NotNow` when none runs."""
        with self._turn:
            if self._state is not DriveState.RUNNING:
                raise NotNow(f"no task runs: {self._reason}")
            self.arm.forbid()
            self._state, self._reason = DriveState.READY, "the task was ended"

    def expect_ready(self) -> None:
        with self._turn:
            if self._state is not DriveState.READY:
                raise NotNow(f"the arm is {self._state.value} ({self._reason}); reset it first")

    def expect_no_task(self) -> None:
        with self._turn:
            if self._state is DriveState.RUNNING or not self.arm.standing:
                raise NotNow("a task runs; stop it first")

    def close(self) -> None:
        """The arm comes to rest, then the thread ends."""
        self.stop("the board ends")
        given_up = time.monotonic() + 2
        while not self.arm.standing and time.monotonic() < given_up:
            time.sleep(1 / self.hz)
        self._closed = True
        self._thread.join(2)

    def _drive(self) -> None:
        while not self._closed:
            try:
                task = self._next_task()
                if task is not None:
                    self._run(task)
                else:
                    self._look_after_link()
                    self.arm.hold()
            except VlaDemoError as error:
                self._fault(str(error))
            except Exception as error:  # whatever it is, the arm must stop and the thread live on
                logger.exception("the control thread failed")
                self._fault(f"{type(error).__name__}: {error}")
            self.recorder.end(self._reason)
            self._clock.sleep_until(self._clock.now() + 1 / self.hz)

    def _next_task(self) -> Task | None:
        """None as well when it was stopped before it began."""
        with self._turn:
            task, self._task = self._task, None
            return task if self._state is DriveState.RUNNING else None

    def _run(self, task: Task) -> None:
        self.recorder.begin(task.instruction, task.about, self.arm.newest())
        inner = ThreadedWorker(task.infer)
        worker = GuardedWorker(inner, self.arm.guard)
        try:
            for tick in ControlLoop(self.arm, worker, self._clock, task.settings).ticks():
                self.counts.rejected_chunks = worker.rejected
                self._note(tick)
                self._look_after_link()
                if self.state[0] is not DriveState.RUNNING:
                    return
                self._check_patience(tick)
        finally:
            self.counts.rejected_chunks = worker.rejected
            inner.close(timeout=0)

    def _look_after_link(self) -> None:
        lost = self._link_lost() if self.state[0] in (DriveState.READY, DriveState.RUNNING) else None
        if lost is not None:
            self.stop(lost)

    def _check_patience(self, tick: Tick) -> None:
        patience, now = self.limits.patience, self._clock.now()
        if tick.observation_age is not None and tick.observation_age > patience.plan:
            raise VlaDemoError(f"the plan is {tick.observation_age:.1f} s old, {patience.plan:g} s are allowed")
        if tick.action is not None:
            self._starved_since = None
        elif self._starved_since is None:
            self._starved_since = now
        elif now - self._starved_since > patience.starvation:
            raise VlaDemoError(f"the policy has been silent for {patience.starvation:g} s")

    def _fault(self, reason: str) -> None:
        with self._turn:
            self.arm.forbid()
            self._state, self._reason = DriveState.FAULT, reason

    def _note(self, tick: Tick) -> None:
        counts, limited = self.counts, tick.action is not None and self.arm.limited
        if tick.arrived is not None:
            counts.inferences += 1
            counts.inference_s.append(self._clock.now() - tick.arrived.request.asked_at)
            counts.stage_ms.append(tick.arrived.stage_ms)
        counts.starved_ticks += tick.action is None
        counts.late_ticks += tick.late > 1 / self.hz
        counts.limited_ticks += limited
        self._number += 1
        driven = DrivenTick(
            number=self._number,
            at=self._clock.now(),
            late=tick.late,
            commanded=self.arm.commanded,
            measured=self.arm.measured(),
            queue=tick.queue_depth,
            starved=tick.action is None,
            limited=limited,
        )
        self.ticks.append(driven)
        if self.recorder.on:
            self.recorder.tick(driven.measured, driven.commanded, self.arm.newest())
