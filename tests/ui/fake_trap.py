"""Studies without a policy: the report of `sample_report`, and a computation that can be held."""

import threading
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from tests.ui.fake_policies import set_event
from tests.ui.sample_report import sample_report
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.progress import Preparing


@dataclass
class FakeStudies:
    """Reports on `act` and `smolvla` came with the app."""

    gate: threading.Event = field(default_factory=set_event)  # cleared: a computation stays in its second observation
    computed: threading.Event = field(default_factory=threading.Event)  # a computation has ended, one way or another

    def report(self, policy: str) -> SensitivityReport | None:
        return sample_report(policy) if policy in ("act", "smolvla") else None

    def compute(self, policy: str) -> Generator[Preparing | SensitivityReport]:
        try:
            for done in range(1, 5):
                yield Preparing(f"Vision encoder in INT4: {done} of 4 observations", done / 4)
                while done == 2 and not self.gate.wait(0.05):
                    yield Preparing("Vision encoder in INT4: 2 of 4 observations", 0.5)
            made = sample_report(policy)
            yield replace(made, computed=replace(made.computed, machine="another stand-in"))
        finally:
            self.computed.set()
