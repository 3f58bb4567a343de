"""The closed-loop rows that come with the app: the protocol's 30 starts under chosen variants, modes and latencies, measured once at home.

`recipes/teabag/closed_loop.py` makes the file. Each row is what `vla-demo rollout --json` prints, with its policy and the revision of its
checkpoint.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vla_demo.core.demo import find_demo
from vla_demo.core.formats import interval, latency, optional, percent
from vla_demo.core.labels import LATENCY_KINDS, family_label, mode_label, variant_label
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.fingerprint import Verification
from vla_demo.evaluation.rollout_report import RolloutReport, StartResult, start_result
from vla_demo.runtime.strict_json import from_json, to_json
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest
from vla_demo.workbench.rollout.worker import try_start

__all__ = ["MeasuredRollout", "batch_of", "markdown_table", "measured_rollouts", "try_again"]


@dataclass(frozen=True, slots=True)
class MeasuredRollout:
    """A batch that was measured once."""

    policy: str  # as a person asks for it: "act", "smolvla"
    revision: str | None  # of the checkpoint
    report: RolloutReport
    verified: Verification | None = None  # how many starts the report's fingerprint was seen to reproduce; None where it is the batch's own

    def as_json(self) -> dict[str, Any]:
        return {"policy": self.policy, "revision": self.revision, "verified": to_json(self.verified), **self.report.as_json()}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "MeasuredRollout":
        """Raises `InvalidInput` for what `as_json` did not make."""
        rest = dict(document)
        policy, revision, verified = str(rest.pop("policy", "")), rest.pop("revision", None), rest.pop("verified", None)
        report = RolloutReport.read(rest)
        return cls(policy, revision, report, verified and from_json(Verification, verified, "verified"))


def measured_rollouts() -> list[MeasuredRollout]:
    """In the order they were asked for; none without the demo. Raises `InvalidInput` for a file of another shape."""
    demo = find_demo()
    rows = [] if demo is None else json.loads(demo.rollouts.read_text(encoding="utf-8"))["rows"]
    return [MeasuredRollout.read(row) for row in rows]


def batch_of(row: MeasuredRollout, package: PolicyPackage) -> Batch:
    """The batch of a row, to be tried again with today's code. `package` is of the row's policy."""
    report = row.report
    return Batch.of(package, RolloutRequest(Variant.parse(report.variant, package.spec), report.latency, report.mode, report.fps))


def try_again(row: MeasuredRollout, batch: Batch, count: int) -> Iterator[tuple[StartResult, StartResult]]:
    """As shipped and as found now, of `count` starts of the row, those that were over soonest first; the graphs are made before."""
    for shipped in sorted(row.report.starts, key=lambda start: start.seconds)[:count]:
        yield shipped, replace(start_result(try_start(batch.job, batch.start(shipped.start)), row.report.fps), queue_depths=())


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
