"""The workbench: the policies that are open, and a wing for each job that can be done with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from vla_demo.core.demo import find_demo
from vla_demo.workbench.datasets import dataset_for
from vla_demo.workbench.policies import BUNDLED_POLICIES, PolicyLibrary
from vla_demo.workbench.replay.wing import ReplayWing
from vla_demo.workbench.robot.wing import RobotWing
from vla_demo.workbench.rollout.wing import RolloutWing
from vla_demo.workbench.sensitivity.wing import SensitivityWing

__all__ = ["Workbench"]


@dataclass(frozen=True, slots=True)
class Workbench:
    """One serves all visitors."""

    policies: PolicyLibrary
    replay: ReplayWing
    sensitivity: SensitivityWing
    rollout: RolloutWing
    robot: RobotWing

    @staticmethod
    def over(source: str | Path | None = None, bundled: Mapping[str, str] = BUNDLED_POLICIES) -> "Workbench":
        """Over the dataset `source` (folder or Hub id; None: the bundled episodes), which is opened when it is first asked for.

        `bundled`: the policies that come with the app, name -> label, the default first. Raises `InvalidInput` when the environment names
        a folder for the demo that is none.
        """
        find_demo()
        dataset = cache(partial(dataset_for, source))
        library = PolicyLibrary(dataset, bundled)
        return Workbench(
            policies=library,
            replay=ReplayWing(library, dataset),
            sensitivity=SensitivityWing(library, dataset),
            rollout=RolloutWing(library),
            robot=RobotWing(),
        )

    def folders(self) -> Sequence[Path]:
        """Whose files a browser may be given."""
        return [*self.replay.folders(), *self.rollout.folders(), *self.robot.folders()]
