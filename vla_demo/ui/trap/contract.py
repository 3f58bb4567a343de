"""What the Trap tab needs of the world beside policies. The product hands in the workbench's wing, tests a small synthetic one."""

from collections.abc import Generator
from typing import Protocol

from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.progress import Preparing

__all__ = ["Studies"]


class Studies(Protocol):
    """Every verb may raise a `VlaDemoError`."""

    def report(self, policy: str) -> SensitivityReport | None:
        """What quantization does to this policy, as last computed, at once; None when nobody has computed it yet."""
        ...

    def compute(self, policy: str) -> Generator[Preparing | SensitivityReport]:
        """Progress, then the report. Closing it between two steps ends the computation."""
        ...
