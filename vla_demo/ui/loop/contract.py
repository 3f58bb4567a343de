"""What the Closed loop tab needs of the world beside policies. The product hands in the workbench's wing, tests a small synthetic one."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.latencies import BoardLatency
from vla_demo.workbench.robot.trials import RobotRate
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.live import LiveRequest, Shown
from vla_demo.workbench.rollout.scenes import Pictures, StartCard
from vla_demo.workbench.rollout.shipped import MeasuredRollout

__all__ = ["Lanes", "Rollouts", "RunningBatch"]


class Lanes(Protocol):
    """One or two rollouts in the twin, side by side."""

    def steps(self) -> Iterator[Preparing | Shown]:
        """Progress while graphs are made and while no place is free, then frames, and an end a lane, also after `stop`."""
        ...

    def stop(self) -> None:
        """From any thread."""
        ...


class RunningBatch(Protocol):
    """The protocol's starts, one after another."""

    def steps(self) -> Iterator[Preparing | RolloutReport]:
        """Progress, with `RolloutStep`s among it, then the report. Raises `Stopped` after `stop`, if anything had begun."""
        ...

    def stop(self) -> None:
        """From any thread; also in the middle of a start. What was tried is kept."""
        ...


class Rollouts(Protocol):
    """Every verb may raise a `VlaDemoError`. Those that take a policy want one that was opened before."""

    def starts(self) -> Sequence[StartCard]:
        """From where a policy can be let act. Raises `MissingPiece` without the twin."""
        ...

    def scene(self, number: int) -> Pictures:
        """What the cameras show at a start, each (H, W, 3) RGB."""
        ...

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        """Progress, then how long an inference takes on this machine."""
        ...

    def board_latencies(self, spec: PolicySpec) -> Sequence[BoardLatency]:
        """What boards have measured of this checkpoint, the newest of each board and variant."""
        ...

    def act(self, request: LiveRequest) -> Lanes:
        """Nothing happens until its steps are asked for."""
        ...

    def roll_out(self, policy: str, request: RolloutRequest) -> RunningBatch:
        """Nothing happens until its steps are asked for."""
        ...

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        """Progress, then the film of one start of a batch, which took so many ticks. Closing it between two steps ends the filming."""
        ...

    def measured(self) -> Sequence[MeasuredRollout]:
        """The closed-loop rows that came with the app."""
        ...

    def robot_rates(self) -> Sequence[RobotRate]:
        """What the tasks that people have judged on robots come to, of each board, package and variant."""
        ...
