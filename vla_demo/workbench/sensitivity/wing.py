"""What a screen needs to show and compute sensitivity studies. One object serves all visitors."""

from collections.abc import Callable, Generator

from vla_demo.episodes import Dataset
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.policies import PolicyLibrary
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.sensitivity.plan import STANDARD_LAYERS, SensitivityRequest
from vla_demo.workbench.sensitivity.shipped import bundled_report
from vla_demo.workbench.sensitivity.study import SensitivityStudy

__all__ = ["SensitivityWing"]

OBSERVATIONS = 2  # of each episode in a report asked for on the page, as in the one that comes with the app


class SensitivityWing:
    """`dataset` is opened when it is first asked for."""

    def __init__(self, policies: PolicyLibrary, dataset: Callable[[], Dataset]) -> None:
        self._policies, self._dataset = policies, dataset
        self._computed: dict[str, SensitivityReport] = {}  # by policy, the newest

    def report(self, policy: str) -> SensitivityReport | None:
        """As last computed here, else as it came with the app; None when there is none."""
        return self._computed.get(policy) or bundled_report(policy)

    def compute(self, policy: str) -> Generator[Preparing | SensitivityReport]:
        """Progress, then the report of every stage in every precision. Closing it between two steps ends the computation."""
        for step in self._policies.open_package(policy):
            if isinstance(step, Preparing):
                yield step
        request = SensitivityRequest(policy, layers=STANDARD_LAYERS, observations_per_episode=OBSERVATIONS)
        for found in SensitivityStudy(request, self._policies.package(policy), self._dataset()).steps():
            if isinstance(found, SensitivityReport):
                self._computed[policy] = found
            yield found
