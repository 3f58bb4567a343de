"""What the page needs of the world: a few verbs. The product hands in the workbench, tests a small synthetic world.

Knows no Gradio; whoever keeps this contract can stand behind the page.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vla_demo.board.view import RobotFacts, RobotPictures, RobotView
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.replay import ReplayReport, ReplayStep
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.runtime.graph_store import Receipt
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.recordings import EpisodeCard, Recording
from vla_demo.workbench.replay.run import RunRequest
from vla_demo.workbench.robot.episodes import DownloadedDataset, EpisodesView
from vla_demo.workbench.robot.latencies import BoardLatency
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.live import LiveRequest, Shown
from vla_demo.workbench.rollout.scenes import Pictures, StartCard
from vla_demo.workbench.rollout.shipped import MeasuredRollout

__all__ = ["Acting", "Bench", "Episodes", "Robot", "Rolling", "Run"]


class Run(Protocol):
    """One replay. Its report can be asked for at any time: what it says then is about the steps given out so far."""

    def steps(self) -> Iterator[Preparing | ReplayStep]:
        """Progress while graphs are made, then a step a frame; ends early, without an error, after `stop`."""
        ...

    def stop(self) -> None:
        """From any thread; also in the middle of a chunk."""
        ...

    def report(self) -> ReplayReport:
        """Asked for after the first step."""
        ...

    def graphs(self) -> Sequence[StageGraph]:
        """The graphs as they run: bytes and counts of quantized nodes."""
        ...

    def receipts(self) -> Sequence[Receipt]:
        """Of the quantized graphs: with the proof that they are not FP32."""
        ...


class Acting(Protocol):
    """One or two lanes in the twin."""

    def steps(self) -> Iterator[Preparing | Shown]:
        """Progress while graphs are made and while no place is free, then frames, and an end a lane, also after `stop`."""
        ...

    def stop(self) -> None:
        """From any thread."""
        ...


class Rolling(Protocol):
    """A batch that goes on."""

    def steps(self) -> Iterator[Preparing | RolloutReport]:
        """Progress, with `RolloutStep`s among it, then the report. Raises `Stopped` after `stop`, if anything had begun."""
        ...

    def stop(self) -> None:
        """From any thread; also in the middle of a start. What was tried is kept."""
        ...


class Episodes(Protocol):
    """What a board has recorded. All but `view` want the lease."""

    def view(self) -> EpisodesView: ...

    def record(self, on: bool) -> None:
        """The tasks from now on."""
        ...

    def judge_last(self, success: bool) -> None:
        """Of the newest task; nothing happens when it was not recorded."""
        ...

    def remove(self, ids: Sequence[str]) -> None: ...

    def download(self, ids: Sequence[str]) -> Iterator[Preparing | DownloadedDataset]:
        """Progress, then one dataset of all of them."""
        ...


class Robot(Protocol):
    """One visitor's link to a board. It closes, and stops the arm if it held the lease, when nobody asks `watch` for some seconds."""

    facts: RobotFacts

    @property
    def episodes(self) -> Episodes: ...

    def watch(self) -> RobotView: ...

    def look(self, after: float) -> RobotPictures | None:
        """None when there are no newer pictures than those taken at `after`."""
        ...

    def stop(self) -> None:
        """Anybody's, at any time, also while another verb goes on."""
        ...

    def take(self, takeover: bool = False) -> None: ...

    def load(self, package: PolicyPackage, variant: Variant) -> Iterator[Preparing]:
        """Send what the board has not got and let it load it."""
        ...

    def reset(self) -> None: ...

    def start(self, mode: str, instruction: str) -> None:
        """`mode` of the loop; an empty `instruction` is the robot's own."""
        ...

    def pause(self) -> None: ...

    def rearrange(self, start: str) -> None:
        """Of a simulated robot."""
        ...

    def close(self, why: str = ...) -> None: ...


class Bench(Protocol):
    """Every verb may raise a `VlaDemoError`."""

    def bundled(self) -> Mapping[str, str]:
        """Name -> label of the policies that come with the app, the default first."""
        ...

    def video_folders(self) -> Sequence[Path]:
        """The folders whose files the page may serve: all of a recording's videos are in one of them."""
        ...

    def fps(self) -> float:
        """Of the recordings, and of the actions planned for them."""
        ...

    def episodes(self) -> Sequence[EpisodeCard]: ...

    def recording(self, index: int) -> Recording: ...

    def sketch(self, source: str) -> PolicySpec | None:
        """What `open_package` is about to prepare, at once; None when only preparing it tells."""
        ...

    def recipes(self, family: str) -> Mapping[str, Mapping[str, str]]:
        """Role -> the mixed precisions this bench knows for that stage of a family's policies, each with a sentence."""
        ...

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        """Progress, then the package, made by an export when the cache does not have it."""
        ...

    def run(self, request: RunRequest) -> Run:
        """Of a package that was opened before. Nothing happens until its steps are asked for."""
        ...

    def trap_report(self, source: str) -> SensitivityReport | None:
        """What quantization does to this policy, as last computed, at once; None when nobody has computed it yet."""
        ...

    def compute_trap(self, source: str) -> Generator[Preparing | SensitivityReport]:
        """Progress, then the report. Closing it between two steps ends the computation."""
        ...

    def loop_starts(self) -> Sequence[StartCard]:
        """From where a policy can be let act. Raises `MissingPiece` without the twin."""
        ...

    def loop_scene(self, start: int) -> Pictures:
        """What the cameras show there."""
        ...

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        """Progress, then how long an inference of a policy that was opened before takes on this machine."""
        ...

    def act(self, request: LiveRequest) -> Acting:
        """Of a package that was opened before. Nothing happens until its steps are asked for."""
        ...

    def roll_out(self, policy: str, request: RolloutRequest) -> Rolling:
        """The protocol's starts, one after another. Of a package that was opened before; nothing happens until its steps are asked for."""
        ...

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        """Progress, then the film of one start of a batch, which took so many ticks. Closing it between two steps ends the filming."""
        ...

    def measured_rollouts(self) -> Sequence[MeasuredRollout]:
        """The closed-loop rows that came with the app."""
        ...

    def simulated_robot(self, holder: str) -> Iterator[Preparing | Robot]:
        """Progress, then a link to the simulated board of this machine."""
        ...

    def robot(self, address: str, token: str, holder: str, certificate: str = "") -> Robot:
        """A link to a board. Raises `BoardError`, `InvalidInput`, `MissingPiece`."""
        ...

    def board_latencies(self, spec: PolicySpec) -> Sequence[BoardLatency]:
        """What boards have measured of this checkpoint, the newest of each board and variant."""
        ...

    def keep_trial(self, trial: RobotTrial) -> None:
        """A task on a robot that a person has judged."""
        ...

    def robot_rates(self) -> Sequence[RobotRate]:
        """What the judged tasks come to, of each board, package and variant."""
        ...

    def warm_up(self) -> None:
        """Prepare the bundled policies, so that their Run starts at once. Called once, on a thread of its own."""
        ...
