"""The workbench as one object: what a screen needs, over one dataset. Knows no widgets.

One object serves all visitors; what belongs to one of them is in the `Replay` it hands out.
"""

import logging
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.runtime import ExportedPolicy, Running, open_policy
from vla_demo.workbench.datasets import dataset_for
from vla_demo.workbench.known_recipes import known_recipes
from vla_demo.workbench.policies import BUNDLED_POLICIES, prepare_policy, sketch_policy
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.recordings import EpisodeCard, Recording, episode_cards, recording
from vla_demo.workbench.replay.run import Replay, RunRequest
from vla_demo.workbench.robot.episodes import dataset_folder
from vla_demo.workbench.robot.latencies import BoardLatency, board_latencies
from vla_demo.workbench.robot.link import RobotLink, connect_robot
from vla_demo.workbench.robot.simulated_board import SimulatedBoard
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial, keep_trial, robot_rates
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.batch_run import BatchRun, film_folder, film_of
from vla_demo.workbench.rollout.live import LiveRequest, LiveRollout
from vla_demo.workbench.rollout.run import latency_named
from vla_demo.workbench.rollout.scenes import Pictures, StartCard, scene, start_cards
from vla_demo.workbench.rollout.shipped import MeasuredRollout, measured_rollouts
from vla_demo.workbench.sensitivity.plan import STANDARD_LAYERS, SensitivityRequest
from vla_demo.workbench.sensitivity.shipped import bundled_report
from vla_demo.workbench.sensitivity.study import SensitivityStudy

__all__ = ["Workbench"]

logger = logging.getLogger(__name__)

LOOPS = 2  # that go on at once; each has a thread or two
STUDIED = 2  # observations of each episode in a report asked for on the page, as in the one that comes with the app


class Workbench:
    """Every verb may raise a `VlaDemoError`. Making one reads nothing; the dataset is opened when it is first asked for."""

    def __init__(self, dataset: str | Path | None = None) -> None:
        self._source = dataset
        self._packages: dict[str, PolicyPackage] = {}  # as last prepared
        self._reports: dict[str, SensitivityReport] = {}  # as last computed here
        self._places = threading.Semaphore(LOOPS)
        self._batches = threading.Semaphore(1)  # each takes all the cores it may
        self._simulated = SimulatedBoard()
        self._kept_open: list[ExportedPolicy] = []  # sessions are shared as long as somebody holds them

    @cached_property
    def dataset(self) -> Dataset:
        return dataset_for(self._source)

    def bundled(self) -> Mapping[str, str]:
        """Name -> label of the policies that come with the app, the default first."""
        return BUNDLED_POLICIES

    def fps(self) -> float:
        return self.dataset.fps

    def episodes(self) -> Sequence[EpisodeCard]:
        return episode_cards(self.dataset)

    def recording(self, index: int) -> Recording:
        return recording(self.dataset, index)

    def video_folders(self) -> Sequence[Path]:
        """The folders whose files a browser may be given."""
        film_folder().mkdir(parents=True, exist_ok=True)
        return [self.dataset.folder, film_folder(), dataset_folder()]

    def sketch(self, source: str) -> PolicySpec | None:
        """What `open_package` is about to prepare, at once; None when only preparing it tells."""
        return sketch_policy(source)

    def recipes(self, family: str) -> Mapping[str, Mapping[str, str]]:
        """Stage -> the mixed precisions known for it, each with a sentence."""
        return known_recipes(family)

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        """Progress, then the package."""
        for step in prepare_policy(source):
            if isinstance(step, PolicyPackage):
                self._packages[source] = step
            yield step

    def run(self, request: RunRequest) -> Replay:
        """A replay over this dataset; its steps do the work. Raises `InvalidInput` for a policy that `open_package` has not prepared."""
        return Replay(request, self._package(request.policy), self.dataset)

    def trap_report(self, source: str) -> SensitivityReport | None:
        """As last computed by this bench, else as it came with the app; None when there is none."""
        return self._reports.get(source) or bundled_report(source)

    def compute_trap(self, source: str) -> Generator[Preparing | SensitivityReport]:
        """Progress, then the report of every stage in every precision. Closing it between two steps ends the computation."""
        for step in self.open_package(source):
            if isinstance(step, Preparing):
                yield step
        request = SensitivityRequest(source, layers=STANDARD_LAYERS, observations_per_episode=STUDIED)
        for found in SensitivityStudy(request, self._packages[source], self.dataset).steps():
            if isinstance(found, SensitivityReport):
                self._reports[source] = found
            yield found

    def loop_starts(self) -> Sequence[StartCard]:
        """The protocol's test and validation starts. Raises `MissingPiece` without MuJoCo."""
        return start_cards()

    def loop_scene(self, start: int) -> Pictures:
        """What the twin's cameras show there. Raises `InvalidInput`, `MissingPiece`."""
        return scene(start)

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        """Progress, then how long an inference takes on this machine. Raises as `run` does."""
        package = self._package(policy)
        yield from prepare_variant(package, variant)
        yield Preparing("Timing some inferences on this machine")
        yield latency_named("measured", package, variant)

    def act(self, request: LiveRequest) -> LiveRollout:
        """Lanes in the twin; their steps do the work. Raises as `run` does."""
        return LiveRollout(request, self._package(request.policy), self._places)

    def roll_out(self, policy: str, request: RolloutRequest) -> BatchRun:
        """The protocol's starts; its steps do the work. Raises as `run` does."""
        return BatchRun(self._package(policy), request, self._batches)

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        """Progress, then the film of one start of a batch, which took so many ticks. Raises as `run` does."""
        return film_of(self._package(policy), request, start, ticks)

    def measured_rollouts(self) -> Sequence[MeasuredRollout]:
        """The closed-loop rows that came with the app."""
        return measured_rollouts()

    def simulated_robot(self, holder: str) -> Iterator[Preparing | RobotLink]:
        """Progress, then a link to the board of this machine, whose robot is the twin; it is started for the first who asks."""
        return self._simulated.connect(holder)

    def robot(self, address: str, token: str, holder: str, certificate: str = "") -> RobotLink:
        """A link to a board. Raises `BoardError`, `InvalidInput`, `MissingPiece`."""
        return connect_robot(address, token, holder, certificate)

    def board_latencies(self, spec: PolicySpec) -> Sequence[BoardLatency]:
        """What boards have measured of this checkpoint."""
        return board_latencies(spec)

    def keep_trial(self, trial: RobotTrial) -> None:
        """A task on a robot that a person has judged."""
        keep_trial(trial)

    def robot_rates(self) -> Sequence[RobotRate]:
        """What the judged tasks come to."""
        return robot_rates()

    def _package(self, source: str) -> PolicyPackage:
        if source not in self._packages:
            raise InvalidInput(f"the policy {source} has not been prepared yet; open its package first")
        return self._packages[source]

    def warm_up(self) -> None:
        """Export what is bundled, make every precision of it and keep the FP32 sessions open, so that Run starts at once.

        What cannot be prepared is logged in a line: whoever runs that policy gets the same error then.
        """
        for source in self.bundled():
            try:
                *_, package = self.open_package(source)
                self._warm_up(package)
            except VlaDemoError as error:
                logger.warning("%s is not prepared: %s", source, error)

    def _warm_up(self, package: PolicyPackage | Preparing) -> None:
        assert isinstance(package, PolicyPackage)
        for threads in (None, 1):  # a replay's, and a lane's in the twin
            policy = open_policy(package.folder, running=Running(threads))
            policy.load()
            self._kept_open.append(policy)
        for precision in ("fp32", "int8"):  # the others are made when somebody asks
            everywhere = {stage.role: precision for stage in package.spec.stages}
            list(prepare_variant(package, Variant.of(package.spec, everywhere)))
