"""The trap reports that come with the app: computed once, at home, and shown at once. Each says when and where."""

from vla_demo.core.demo import DEMO_POLICIES, find_demo
from vla_demo.evaluation.sensitivity import SensitivityReport

__all__ = ["bundled_report"]


def bundled_report(source: str) -> SensitivityReport | None:
    """None for a policy that is not bundled, or not with a report. Raises `InvalidInput` for a file that is none."""
    demo = find_demo() if source in DEMO_POLICIES else None
    if demo is None or not demo.sensitivity(source).is_file():
        return None
    return SensitivityReport.read(demo.sensitivity(source).read_text(encoding="utf-8"))
