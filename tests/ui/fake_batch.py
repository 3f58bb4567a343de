"""Batches without a world: starts that succeed or fail by their number and the variant, and a film that is there already."""

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vla_demo.core.errors import Stopped
from vla_demo.evaluation.attempts import Attempts
from vla_demo.evaluation.closed_loop import LoopReport, Rollout, TriedStart
from vla_demo.evaluation.rollout_report import RolloutReport, rollout_report
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.run import RolloutStep
from vla_demo.workbench.rollout.scenes import StartCard


def tried(card: StartCard, request: RolloutRequest) -> TriedStart:
    """A validation start fails, and the first test start under a quantized stage."""
    quantized = any(stage.precision != "fp32" for stage in request.variant.stages)
    success = card.split == "test" and not (quantized and card.cluster == 1)
    idle = 300 if request.mode == "sync" else 30
    loop = LoopReport(600, idle, 20, 1000, 100, 0, 0, 0, (12,) * 600, 2.5, 1800.0, 0.9)
    return TriedStart(card.number, card.cluster, Rollout(Attempts(success, 360 if success else 1800, 1, 0), loop))


def report(cards: Sequence[StartCard], request: RolloutRequest) -> RolloutReport:
    return rollout_report(request.variant, request.mode, request.latency, request.fps, tuple(tried(card, request) for card in cards))


@dataclass
class FakeBatch:
    """After the first start it waits for `gate`."""

    request: RolloutRequest
    cards: Sequence[StartCard]
    gate: threading.Event
    stopped: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def steps(self) -> Iterator[Preparing | RolloutReport]:
        try:
            yield Preparing("Quantizing the vision encoder", 0.5)
            for done in range(len(self.cards) + 1):
                while done == 2 and not self.gate.wait(0.02) and not self.stopped.is_set():
                    pass
                if self.stopped.is_set():
                    raise Stopped("the batch was stopped")
                won = sum(tried(card, self.request).rollout.attempts.success for card in self.cards[:done])
                yield RolloutStep("Rollouts", done / len(self.cards), won, done, len(self.cards))
            yield report(self.cards, self.request)
        finally:
            self.closed.set()

    def stop(self) -> None:
        self.stopped.set()


def filmed(file: Path, gate: threading.Event, ended: threading.Event) -> Generator[Preparing | Path]:
    """`file`, after some steps; the second comes again and again until `gate` is set."""
    try:
        yield Preparing("Filming", 0.0)
        yield Preparing("Filming", 0.5)
        while not gate.wait(0.02):
            yield Preparing("Filming", 0.5)
        yield file
    finally:
        ended.set()
