"""What the Replay tab needs of the world beside policies. The product hands in the workbench's wing, tests a small synthetic one."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from vla_demo.core.package import StageGraph
from vla_demo.evaluation.replay import ReplayReport, ReplayStep
from vla_demo.runtime.graph_store import Receipt
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.episodes import EpisodeCard, PlayableEpisode
from vla_demo.workbench.replay.run import RunRequest

__all__ = ["Replays", "Run"]


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


class Replays(Protocol):
    """Every verb may raise a `VlaDemoError`."""

    def episodes(self) -> Sequence[EpisodeCard]: ...

    def episode(self, index: int) -> PlayableEpisode:
        """With its videos, which lie in a folder that the page may serve."""
        ...

    def run(self, request: RunRequest) -> Run:
        """Of a package that was opened before. Nothing happens until its steps are asked for."""
        ...
