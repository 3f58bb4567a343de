"""What the Robot tab needs of the world beside policies. The product hands in the workbench's wing, tests a small synthetic one."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from vla_demo.board.view import EpisodesView, RobotFacts, RobotPictures, RobotView
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.episodes import DownloadedDataset
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial

__all__ = ["BoardOnThisMachine", "RecordedEpisodes", "Robot", "Robots"]


class RecordedEpisodes(Protocol):
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
    def episodes(self) -> RecordedEpisodes: ...

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


class BoardOnThisMachine(Protocol):
    """Its robot is simulated."""

    def connect(self, holder: str) -> Iterator[Preparing | Robot]:
        """Progress while it starts, then a link."""
        ...


class Robots(Protocol):
    """Every verb may raise a `VlaDemoError`."""

    @property
    def simulated_board(self) -> BoardOnThisMachine: ...

    def connect(self, address: str, token: str, holder: str, certificate: str = "") -> Robot:
        """A link to a board. Raises `BoardError`, `InvalidInput`, `MissingPiece`."""
        ...

    def keep_trial(self, trial: RobotTrial) -> None:
        """A task on a robot that a person has judged."""
        ...

    def rates(self) -> Sequence[RobotRate]:
        """What the judged tasks come to, of each board, package and variant."""
        ...
