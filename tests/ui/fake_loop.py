"""Lanes that act without a world: the real control loop over nobody, and a ball on a table to look at."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.policy import PolicySpec
from vla_demo.evaluation.closed_loop import Judgement, RolloutTick, TriedStart, summarize_rollout
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.rollout_report import RolloutReport, rollout_report
from vla_demo.runtime.control_loop import LoopSettings
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.dry_run import dry_run
from vla_demo.workbench.rollout.live import LaneEnd, LiveFrame, LiveRequest, Shown
from vla_demo.workbench.rollout.scenes import Pictures

CAMERAS = ("top", "gripper", "left")
ACTIONS_TO_SUCCESS = 120  # that many and the bag is in the mug
SECONDS = 8.0  # simulated; no longer
HALF = 30  # ticks


def picture(episode: int, i: int, camera: int) -> NDArray[np.uint8]:
    """A table and a ball whose place tells the frame and the camera apart."""
    y, x = np.mgrid[0:240, 0:320]
    tiles = 6 * ((x // 40 + y // 40) % 2)[..., None]
    out: NDArray[np.uint8] = (np.array([[120, 96, 74], [88, 104, 112], [150, 168, 186]][camera]) + tiles).astype(np.uint8)
    cx, cy = 160 + 110 * np.sin(i / 24 + episode), 130 + 60 * np.cos(i / 31 + camera)
    out[(x - cx) ** 2 + (y - cy) ** 2 < (20 + 6 * camera) ** 2] = (212, 62, 48)
    return out


def shot(moment: int, cameras: Sequence[str]) -> Pictures:
    return {name: picture(0, moment, CAMERAS.index(name)) for name in cameras}


@dataclass
class FakeLanes:
    """After the first ticks it waits for `gate`."""

    request: LiveRequest
    gate: threading.Event
    spec: PolicySpec
    stopped: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def steps(self) -> Iterator[Preparing | Shown]:
        yield Preparing("Quantizing the vision encoder", 0.5)
        lanes = [self._ticks(lane) for lane in self.request.lanes]
        try:
            for begin in range(0, max(map(len, lanes)), 6):
                while begin == HALF and not self.gate.wait(0.02) and not self.stopped.is_set():
                    pass
                if self.stopped.is_set():
                    lanes = [ticks[:begin] for ticks in lanes]
                yield from [self._frame(i, ticks[begin : begin + 6]) for i, ticks in enumerate(lanes) if ticks[begin:]]
            yield from [LaneEnd(i, self._report(i, ticks), self.stopped.is_set()) for i, ticks in enumerate(lanes)]
        finally:
            self.closed.set()

    def stop(self) -> None:
        self.stopped.set()

    def _ticks(self, lane: RolloutRequest) -> list[RolloutTick]:
        actions = self.spec.n_action_steps if lane.mode == "sync" else self.spec.chunk_size
        ticks, done = list[RolloutTick](), 0
        for tick in dry_run(LoopSettings(actions, lane.fps, lane.mode, lane.threshold), lane.latency.seconds, SECONDS):
            done += tick.action is not None
            ticks.append(RolloutTick(tick, Judgement(40 < done < 100, done >= 100, done >= ACTIONS_TO_SUCCESS)))
            if done >= ACTIONS_TO_SUCCESS:
                break
        return ticks

    def _frame(self, lane: int, ticks: Sequence[RolloutTick]) -> LiveFrame:
        return LiveFrame(lane, tuple(ticks), shot(ticks[-1].tick.index, CAMERAS))

    def _report(self, lane: int, ticks: Sequence[RolloutTick]) -> RolloutReport:
        asked = self.request.lanes[lane]
        rollout = summarize_rollout(ticks, asked.fps, ActionScale.of(np.zeros(1), np.ones(1), "dataset"))
        return rollout_report(asked.variant, asked.mode, asked.latency, asked.fps, (TriedStart(self.request.start, 1, rollout),))
