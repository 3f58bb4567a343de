"""The Closed loop tab's world without a world: lanes and batches that can be held, a film that is there already."""

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.ui.fake_batch import FakeBatch, filmed, report
from tests.ui.fake_loop import CAMERAS, FakeLanes, shot
from tests.ui.fake_policies import package, set_event
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource, measured_latency, published_latency
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.latencies import BoardLatency
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.live import LiveRequest
from vla_demo.workbench.rollout.scenes import Pictures, StartCard
from vla_demo.workbench.rollout.shipped import MeasuredRollout


def rates_of(trials: Sequence[RobotTrial]) -> Sequence[RobotRate]:
    """Of one variant on one board."""
    if not trials:
        return ()
    judged = {trial.task: trial for trial in trials}.values()
    done, n = sum(trial.success for trial in judged), len(judged)
    return [RobotRate("bench twin", "twin", "act", trials[0].variant, done, n, wilson_interval(done, n), 0.25, 2)]


@dataclass
class FakeRollouts:
    """`folder` holds a film, `left.mp4`."""

    folder: Path
    trials: list[RobotTrial] = field(default_factory=list)  # that were judged on robots
    gate: threading.Event = field(default_factory=set_event)  # cleared: lanes, batches and films stay near their beginning
    timed_there: tuple[BoardLatency, ...] = ()  # of the ACT on a board
    acted: list[FakeLanes] = field(default_factory=list)
    rolled: list[FakeBatch] = field(default_factory=list)
    filmed: list[tuple[RolloutRequest, int, int]] = field(default_factory=list)
    film_ended: threading.Event = field(default_factory=threading.Event)

    def starts(self) -> Sequence[StartCard]:
        return [StartCard(301000, "test", 1), StartCard(302000, "test", 2), StartCard(206000, "validation", 6)]

    def scene(self, number: int) -> Pictures:
        return shot(number % 97, CAMERAS)

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        yield Preparing("Timing some inferences on this machine")
        yield measured_latency([0.412], "a stand-in")

    def act(self, request: LiveRequest) -> FakeLanes:
        self.acted.append(FakeLanes(request, self.gate, package(request.policy).spec))
        return self.acted[-1]

    def roll_out(self, policy: str, request: RolloutRequest) -> FakeBatch:
        self.rolled.append(FakeBatch(request, self.starts(), self.gate))
        return self.rolled[-1]

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        self.filmed.append((request, start, ticks))
        return filmed(self.folder / "left.mp4", self.gate, self.film_ended)

    def measured(self) -> Sequence[MeasuredRollout]:
        """One row, of the checkpoint as it is, and one of another revision."""
        spec = package("act").spec
        request = RolloutRequest(Variant.reference(spec), published_latency(spec, Variant.reference(spec)), mode="sync")
        found = report(self.starts(), request)
        return [MeasuredRollout("act", spec.revision, found), MeasuredRollout("act", "another", found)]

    def robot_rates(self) -> Sequence[RobotRate]:
        return rates_of(self.trials)

    def board_latencies(self, spec: PolicySpec) -> Sequence[BoardLatency]:
        return self.timed_there if spec.family == "act" else ()
