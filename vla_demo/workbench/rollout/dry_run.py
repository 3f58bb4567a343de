"""The control loop without a world: what it will do under a latency, before anything moves. No policy runs and nothing is simulated."""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, SimulatedWorker, Tick

__all__ = ["dry_run"]


def dry_run(settings: LoopSettings, latency: float, seconds: float) -> list[Tick]:
    """The ticks of the first `seconds` when every inference takes `latency` s: which have an action, how many wait, when chunks come."""
    clock = ManualClock()

    def infer(request: Request) -> ActionChunk:
        return ActionChunk(np.zeros((settings.actions_per_chunk, 1), np.float32), request.observation.captured_at, {})

    loop = ControlLoop(_Nobody(clock), SimulatedWorker(infer, lambda _: latency, clock), clock, settings)
    return list(islice(loop.ticks(), round(seconds * settings.fps)))


class _Nobody:
    """A body without a body."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def observe(self) -> Observation:
        return Observation({}, np.zeros(1, np.float32), "", self._clock.now())

    def act(self, action: NDArray[np.float32]) -> None: ...

    def hold(self) -> None: ...
