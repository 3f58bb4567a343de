"""A small synthetic world behind the page: a fake a tab, and one gate that holds all that goes on."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.ui.fake_policies import FakeLibrary, set_event
from tests.ui.fake_replay import FakeReplays
from tests.ui.fake_robot import FakeBoard, FakeRobots, FakeSimulatedBoard
from tests.ui.fake_rollouts import FakeRollouts
from tests.ui.fake_trap import FakeStudies


@dataclass
class FakeWorkbench:
    """`folder` holds the videos of `write_videos`."""

    folder: Path
    gate: threading.Event = field(default_factory=set_event)  # cleared: whatever runs stays near its beginning

    def __post_init__(self) -> None:
        self.policies = FakeLibrary()
        self.replay = FakeReplays(self.folder, self.gate)
        self.sensitivity = FakeStudies(self.gate)
        self.robot = FakeRobots(FakeSimulatedBoard(self.folder))
        self.rollout = FakeRollouts(self.folder, self.robot.trials, self.gate)

    @property
    def board(self) -> FakeBoard:
        return self.robot.simulated_board.board

    @board.setter
    def board(self, board: FakeBoard) -> None:
        self.robot.simulated_board.board = board

    def folders(self) -> Sequence[Path]:
        return [self.folder]
