"""The closed-loop rows that come with the app: the protocol's 30 starts under chosen variants, modes and latencies, measured once at home.

`recipes/teabag/closed_loop.py` makes the file. Each row is what `vla-demo rollout --json` prints, with its policy and the revision of its
checkpoint.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vla_demo.core.demo import find_demo
from vla_demo.core.formats import interval, latency, optional, percent
from vla_demo.core.labels import LATENCY_KINDS, family_label, mode_label, variant_label
from vla_demo.evaluation.rollout_report import RolloutReport, StartResult

__all__ = ["MeasuredRollout", "markdown_table", "measured_rollouts"]


@dataclass(frozen=True, slots=True)
class MeasuredRollout:
    """A batch that was measured once."""

    policy: str  # as a person asks for it: "act", "smolvla"
    revision: str | None  # of the checkpoint
    report: RolloutReport

    def as_json(self) -> dict[str, Any]:
        return {"policy": self.policy, "revision": self.revision, **self.report.as_json()}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "MeasuredRollout":
        """Raises `InvalidInput` for what `as_json` did not make."""
        rest = dict(document)
        policy, revision = str(rest.pop("policy", "")), rest.pop("revision", None)
        return cls(policy, revision, RolloutReport.read(rest))


def measured_rollouts() -> list[MeasuredRollout]:
    """In the order they were asked for; none without the demo. Raises `InvalidInput` for a file of another shape."""
    demo = find_demo()
    rows = [] if demo is None else json.loads(demo.rollouts.read_text(encoding="utf-8"))["rows"]
    return [MeasuredRollout.read(row) for row in rows]


def markdown_table(rows: Sequence[MeasuredRollout]) -> str:
    """A line a row: counts with Wilson's 95 % interval, and how much of the time the arm had no action."""
    titles = ("policy", "variant", "mode", "latency", "success (95 % interval)", "test, validation", "idle", "time to success")
    return "\n".join(["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", *(_line(row.policy, row.report) for row in rows)])


def _line(policy: str, report: RolloutReport) -> str:
    delay = f"{latency(report.latency_ms / 1e3)}, {LATENCY_KINDS[report.latency_kind]}" if report.latency_ms else "none"
    cells = (
        family_label(policy),
        variant_label(report.variant),
        mode_label(report.mode),
        delay,
        f"{report.successes}/{report.n} ({interval(*report.wilson95)})",
        "{}, {}".format(*_by_split(report.starts)),
        percent(report.idle_share),
        optional(report.time_to_success_s, "{:.1f} s"),
    )
    return "| " + " | ".join(cells) + " |"


def _by_split(starts: Sequence[StartResult]) -> list[str]:
    """The first 20 are the test starts, the last 10 the validation starts of the held-out cluster."""
    return [f"{sum(start.success for start in part)}/{len(part)}" for part in (starts[:20], starts[20:])]
