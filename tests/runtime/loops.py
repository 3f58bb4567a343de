"""Control loops over a body that only remembers, under a manual clock."""

from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, SimulatedWorker, Tick


@dataclass
class RememberingBody:
    """Its one joint is where it was sent; it keeps what it was told: an action, or None for a hold."""

    clock: ManualClock
    told: list[float | None] = field(default_factory=list)
    joint: float = 0.0

    def observe(self) -> Observation:
        return Observation({}, np.array([self.joint], np.float32), "", self.clock.now())

    def act(self, action: NDArray[np.float32]) -> None:
        self.joint = float(action[0])
        self.told.append(self.joint)

    def hold(self) -> None:
        self.told.append(None)


def counting(chunk: int) -> "object":
    """A policy whose actions are the steps they are for."""

    def infer(request: Request) -> ActionChunk:
        steps = np.arange(request.stamp, request.stamp + chunk, dtype=np.float32)[:, None]
        return ActionChunk(steps, request.observation.captured_at)

    return infer


def run(settings: LoopSettings, latency: float, ticks: int, infer: object = None) -> tuple[RememberingBody, list[Tick]]:
    clock = ManualClock()
    body = RememberingBody(clock)
    worker = SimulatedWorker(infer or counting(settings.actions_per_chunk), lambda _: latency, clock)  # type: ignore[arg-type]
    return body, list(islice(ControlLoop(body, worker, clock, settings).ticks(), ticks))


def idle_share(latency: float, chunk: int, fps: float, threshold: float) -> float:
    """Settled: the first thousand ticks do not count."""
    _, ticks = run(LoopSettings(chunk, fps, chunk_size_threshold=threshold), latency, 6000)
    return float(np.mean([tick.action is None for tick in ticks[1000:]]))
