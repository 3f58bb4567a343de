"""What a screen needs to drive robots and to judge what they did. One object serves all visitors, and so does its simulated board."""

from collections.abc import Sequence
from pathlib import Path

from vla_demo.workbench.robot.episodes import dataset_folder
from vla_demo.workbench.robot.link import connect_robot
from vla_demo.workbench.robot.simulated_board import SimulatedBoard
from vla_demo.workbench.robot.trials import keep_trial, robot_rates

__all__ = ["RobotWing"]


class RobotWing:
    """Making one starts nothing: the simulated board is started for the first who connects to it."""

    connect = staticmethod(connect_robot)
    keep_trial = staticmethod(keep_trial)
    rates = staticmethod(robot_rates)

    def __init__(self) -> None:
        self.simulated_board = SimulatedBoard()

    def folders(self) -> Sequence[Path]:
        """Whose files a browser may be given."""
        return [dataset_folder()]
