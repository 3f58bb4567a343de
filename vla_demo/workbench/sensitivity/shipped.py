"""The trap reports that come with the app: computed once, at home, and shown at once. Each says when and where."""

from pathlib import Path

from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.policies import BUNDLED_POLICIES

__all__ = ["BUNDLED_REPORTS", "bundled_report"]

BUNDLED_REPORTS = Path(__file__).parents[3] / "assets" / "demo" / "trap"


def bundled_report(source: str) -> SensitivityReport | None:
    """None for a policy that is not bundled, or not with a report. Raises `InvalidInput` for a file that is none."""
    file = BUNDLED_REPORTS / f"{source}.json"
    return SensitivityReport.read(file.read_text(encoding="utf-8")) if source in BUNDLED_POLICIES and file.is_file() else None
