"""The control loop: every tick an action or a hold, on an absolute schedule, while a worker infers the next chunk beside it.

The tick never waits for inference. One loop serves three users: a real arm, the twin, and the twin that pretends to be a slow board, where
a `SimulatedWorker` under a manual clock makes an inference cost whatever it is told to, exactly repeatably.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import DeadlineMissed, InvalidInput, VlaDemoError
from vla_demo.core.observation import ActionChunk, Clock, Observation
from vla_demo.runtime.action_queue import ActionQueue, Merged
from vla_demo.runtime.continuation import Continuation

__all__ = ["MODES", "Answer", "ControlLoop", "LoopSettings", "Request", "SimulatedWorker", "Tick", "Worker"]

MODES = ("sync", "async", "seamfree")
_REMEMBERED = 5  # delays: one late answer should not count for ever
_SMALLEST = 1e-9  # s; schedules are sums of floats


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """LeRobot's names. Raises `InvalidInput`."""

    actions_per_chunk: int  # of each planned chunk, how many are queued
    fps: float = 30.0
    mode: str = "async"  # sync: infer when the queue is empty, standing still; async: while it lasts; seamfree: going on from what is left
    chunk_size_threshold: float = 0.5  # async: ask when the queue holds at most this share of a chunk
    aggregate: str = "weighted_average"
    deadline: float = math.inf  # s; an answer that takes longer is given up and asked for anew
    failures_in_a_row: int = 3  # that many and the loop gives up

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InvalidInput(f"unknown mode {self.mode!r}; valid: {', '.join(MODES)}")
        if self.actions_per_chunk < 1 or not self.fps > 0 or not 0 <= self.chunk_size_threshold <= 1 or not self.deadline > 0:
            raise InvalidInput("wanted are actions_per_chunk >= 1, fps > 0, chunk_size_threshold 0 to 1, deadline > 0")


@dataclass(frozen=True, slots=True)
class Request:
    """One inference to be made."""

    number: int  # from 0
    observation: Observation
    stamp: int  # actions executed before it was captured: the step its first action is for
    asked_at: float  # s
    after: Continuation | None = None  # seamfree: what its chunk should go on from


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    request: Request
    outcome: ActionChunk | VlaDemoError


class Worker(Protocol):
    """Infers one chunk at a time, beside the loop."""

    def ask(self, request: Request) -> None:
        """Begin; returns at once. What was asked before and has not been answered is forgotten."""
        ...

    def answer(self) -> Answer | None:
        """The answer to the last request, once, when it is there by now; returns at once."""
        ...


class Body(Protocol):
    """What moves: an arm, the twin. No call waits for anything."""

    def observe(self) -> Observation:
        """The newest there is."""
        ...

    def act(self, action: NDArray[np.float32]) -> None:
        """Head for `action` (J,) in dataset units until the next tick."""
        ...

    def hold(self) -> None:
        """Stand still until the next tick; how is the body's business."""
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chunk that came in at a tick."""

    request: Request
    merged: Merged
    stage_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened at one moment of the schedule."""

    index: int
    at: float  # s since the loop began, as scheduled
    late: float  # s behind the schedule
    action: NDArray[np.float32] | None  # (J,) None: starved, the body holds
    chunk: int | None  # which chunk the action came with last
    observation_age: float | None  # s since the observation behind the action
    queue_depth: int  # actions that still wait
    asked: Request | None
    arrived: Arrival | None
    failed: VlaDemoError | None


class ControlLoop:
    """Iterate `ticks`; stop iterating to stop. One loop drives one body once."""

    def __init__(self, body: Body, worker: Worker, clock: Clock, settings: LoopSettings) -> None:
        self._body, self._worker, self._clock, self._settings = body, worker, clock, settings
        self._queue = ActionQueue("latest_only" if settings.mode == "seamfree" else settings.aggregate)
        self._pending: Request | None = None
        self._asked = self._failures = 0
        self._delays: deque[int] = deque(maxlen=_REMEMBERED)  # ticks from asking to arriving

    def ticks(self) -> Iterator[Tick]:
        """One a control period, forever. A tick that comes more than a period late shifts the schedule: no burst makes up for it.

        Raises what inference raised when it failed `failures_in_a_row` times.
        """
        period, due, began, index = 1 / self._settings.fps, self._clock.now(), self._clock.now(), 0
        while True:
            self._clock.sleep_until(due)
            late = max(0.0, self._clock.now() - due)
            yield self._tick(index, due - began, late)
            due += period * (1 + math.floor(late / period))
            index += 1

    def _tick(self, index: int, at: float, late: float) -> Tick:
        arrived, failed = self._collected()
        asked = self._request()
        if asked is not None and arrived is None:  # an inference that takes no time
            arrived, failed_now = self._collected()
            failed = failed or failed_now
        queued = self._queue.take()
        if queued is None:
            self._body.hold()
            return Tick(index, at, late, None, None, None, len(self._queue), asked, arrived, failed)
        self._body.act(queued.action)
        age = self._clock.now() - queued.observed_at
        return Tick(index, at, late, queued.action, queued.chunk, age, len(self._queue), asked, arrived, failed)

    def _collected(self) -> tuple[Arrival | None, VlaDemoError | None]:
        if self._pending is None:
            return None, None
        answer = self._worker.answer()
        if answer is None or answer.request is not self._pending:
            return None, self._given_up()
        self._pending = None
        if isinstance(answer.outcome, VlaDemoError):
            return None, self._failed(answer.outcome)
        self._failures = 0
        actions = answer.outcome.actions[: self._settings.actions_per_chunk]
        if not np.isfinite(actions).all():
            return None, self._failed(VlaDemoError("the policy answered numbers that are not finite; its chunk is dropped"))
        self._delays.append(math.ceil((self._clock.now() - answer.request.asked_at) * self._settings.fps - _SMALLEST))
        merged = self._queue.merge(actions, answer.request.stamp, answer.outcome.observed_at)
        return Arrival(answer.request, merged, dict(answer.outcome.stage_ms)), None

    def _given_up(self) -> VlaDemoError | None:
        assert self._pending is not None
        if self._clock.now() - self._pending.asked_at <= self._settings.deadline:
            return None
        self._pending = None
        return self._failed(DeadlineMissed(f"no answer within the deadline of {self._settings.deadline:g} s"))

    def _failed(self, error: VlaDemoError) -> VlaDemoError:
        self._failures += 1
        if self._failures >= self._settings.failures_in_a_row:
            raise error
        return error

    def _request(self) -> Request | None:
        """Ask when the queue is low and nothing is under way: with the newest observation, and never lost, as the next tick asks again."""
        most = self._settings.chunk_size_threshold * self._settings.actions_per_chunk if self._settings.mode != "sync" else 0
        if self._pending is not None or len(self._queue) > most:
            return None
        self._pending = Request(self._asked, self._body.observe(), self._queue.executed, self._clock.now(), self._after())
        self._asked += 1
        self._worker.ask(self._pending)
        return self._pending

    def _after(self) -> Continuation | None:
        """What is still planned; the longest of the last delays tells how much of it will be executed before the answer comes."""
        left = self._queue.remainder() if self._settings.mode == "seamfree" else None
        return None if left is None else Continuation(left, min(len(left), max(self._delays, default=len(left))))


class SimulatedWorker:
    """Infers at once and answers `latency` seconds later by the given clock: a slow board on a fast machine, or the other way round."""

    def __init__(self, infer: Callable[[Request], ActionChunk], latency: Callable[[ActionChunk], float], clock: Clock) -> None:
        self._infer, self._latency, self._clock = infer, latency, clock
        self._ready: tuple[float, Answer] | None = None

    def ask(self, request: Request) -> None:
        try:
            chunk = self._infer(request)
        except VlaDemoError as error:
            self._ready = (self._clock.now(), Answer(request, error))
        else:
            self._ready = (self._clock.now() + self._latency(chunk), Answer(request, chunk))

    def answer(self) -> Answer | None:
        if self._ready is None or self._clock.now() < self._ready[0] - _SMALLEST:
            return None
        answer, self._ready = self._ready[1], None
        return answer
