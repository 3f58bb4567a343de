"""What a screen needs to let policies act in the twin. One object serves all visitors: it knows how much may go on at once."""

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.workbench.policies import PolicyLibrary
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.latencies import board_latencies
from vla_demo.workbench.robot.trials import robot_rates
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.batch_run import BatchRun, film_folder, film_of
from vla_demo.workbench.rollout.live import LiveRequest, LiveRollout
from vla_demo.workbench.rollout.run import resolve_latency
from vla_demo.workbench.rollout.scenes import scene, start_cards
from vla_demo.workbench.rollout.shipped import measured_rollouts

__all__ = ["RolloutWing"]

LOOPS = 2  # that go on at once; each has a thread or two


class RolloutWing:
    """What needs a policy raises `InvalidInput` for one that has not been opened."""

    starts = staticmethod(start_cards)
    scene = staticmethod(scene)
    measured = staticmethod(measured_rollouts)
    board_latencies = staticmethod(board_latencies)
    robot_rates = staticmethod(robot_rates)

    def __init__(self, policies: PolicyLibrary) -> None:
        self._policies = policies
        self._loops = threading.Semaphore(LOOPS)
        self._batches = threading.Semaphore(1)  # each takes all the cores it may

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        """Progress, then how long an inference takes on this machine."""
        package = self._policies.package(policy)
        yield from prepare_variant(package, variant)
        yield Preparing("Timing some inferences on this machine")
        yield resolve_latency("measured", package, variant)

    def act(self, request: LiveRequest) -> LiveRollout:
        """Lanes in the twin; their steps do the work."""
        return LiveRollout(request, self._policies.package(request.policy), self._loops)

    def roll_out(self, policy: str, request: RolloutRequest) -> BatchRun:
        """The protocol's starts; its steps do the work."""
        return BatchRun(self._policies.package(policy), request, self._batches)

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        """Progress, then the film of one start of a batch, which took so many ticks."""
        return film_of(self._policies.package(policy), request, start, ticks)

    def folders(self) -> Sequence[Path]:
        """Whose files a browser may be given."""
        film_folder().mkdir(parents=True, exist_ok=True)
        return [film_folder()]
