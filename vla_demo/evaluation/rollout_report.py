"""What a batch of rollouts amounts to: a count with its interval, by cluster, and how the loop fared. Two batches compare in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vla_demo.core.errors import InvalidInput
from vla_demo.core.formats import latency
from vla_demo.core.labels import mode_label, variant_label
from vla_demo.core.variant import Variant
from vla_demo.evaluation.closed_loop import TriedStart
from vla_demo.evaluation.fingerprint import RunFingerprint
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.statistics import mcnemar_exact, wilson_interval
from vla_demo.runtime.strict_json import StrictJsonError, from_json, to_json

__all__ = ["PairedStarts", "RolloutReport", "StartResult", "name_apart", "paired", "rollout_report", "start_result"]

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class StartResult:
    """One start in a report."""

    start: int  # its number
    cluster: int
    success: bool
    seconds: float  # simulated, until success or until time was up
    grasps: int
    queue_depths: tuple[int, ...]  # actions that wait after each tick; in JSON only where traces are asked for


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """A batch in numbers; its fields are the schema of `vla-demo rollout --json`.

    Shares are over all ticks (or actions) of all rollouts; jump and jerk are means over rollouts, times medians over successes.
    """

    variant: str
    mode: str
    latency_ms: float
    latency_kind: str
    latency_source: str
    fps: float
    successes: int
    n: int
    wilson95: tuple[float, float]
    by_cluster: Mapping[str, str]  # cluster -> "successes/n"
    idle_share: float
    starved_ticks: int
    stale_share: float | None
    boundary_jump: float | None  # times a step inside a chunk
    jerk: float | None  # standard deviations per second cubed
    queue_depth: float
    late_ticks: int
    failed_inferences: int
    deadline_misses: int
    observation_age_s: float | None
    time_to_success_s: float | None
    drops: int
    retries: int
    fingerprint: RunFingerprint | None  # None: of a rollout that was watched and not kept
    starts: tuple[StartResult, ...]  # not empty

    @property
    def latency(self) -> LatencySource:
        return LatencySource(self.latency_ms / 1e3, self.latency_kind, self.latency_source)

    def as_json(self, traces: bool = False) -> dict[str, Any]:
        """Plain data. `traces` adds to every start its queue depth after each tick."""
        document: dict[str, Any] = to_json(self)
        for start in () if traces else document["starts"]:
            del start["queue_depths"]
        return document

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "RolloutReport":
        """What `as_json` made, with traces or without. Raises `InvalidInput` for anything else, naming the place."""
        try:
            starts = [{"queue_depths": [], **start} for start in document.get("starts", ())]
            report: RolloutReport = from_json(cls, {"fingerprint": None, **document, "starts": starts}, "")
        except (StrictJsonError, TypeError) as problem:
            raise InvalidInput(f"this is no report of rollouts: {problem}") from None
        return report


def rollout_report(
    variant: Variant, mode: str, source: LatencySource, fps: float, tried: Sequence[TriedStart], fingerprint: RunFingerprint | None = None
) -> RolloutReport:
    """Adds up what was tried. `tried` is not empty."""
    loops = [row.rollout.loop for row in tried]
    attempts = [row.rollout.attempts for row in tried]
    ticks, received = sum(loop.ticks for loop in loops), sum(loop.actions_received for loop in loops)
    successes = sum(attempt.success for attempt in attempts)
    return RolloutReport(
        variant=str(variant),
        mode=mode,
        latency_ms=round(source.seconds * 1e3, 3),
        latency_kind=source.kind,
        latency_source=source.about,
        fps=fps,
        successes=successes,
        n=len(tried),
        wilson95=wilson_interval(successes, len(tried)),
        by_cluster=_by_cluster(tried),
        idle_share=sum(loop.starved_ticks for loop in loops) / ticks,
        starved_ticks=sum(loop.starved_ticks for loop in loops),
        stale_share=sum(loop.stale_actions for loop in loops) / received if received else None,
        boundary_jump=_mean([loop.boundary_jump for loop in loops]),
        jerk=_mean([loop.jerk for loop in loops]),
        queue_depth=sum(sum(loop.queue_depths) for loop in loops) / ticks,
        late_ticks=sum(loop.late_ticks for loop in loops),
        failed_inferences=sum(loop.failed_inferences for loop in loops),
        deadline_misses=sum(loop.deadline_misses for loop in loops),
        observation_age_s=_mean([loop.observation_age for loop in loops]),
        time_to_success_s=_median([a.ticks / fps for a in attempts if a.success]),
        drops=sum(a.drops for a in attempts),
        retries=sum(a.retries for a in attempts),
        fingerprint=fingerprint,
        starts=tuple(start_result(row, fps) for row in tried),
    )


def start_result(row: TriedStart, fps: float) -> StartResult:
    """What a report says of one start."""
    attempts, depths = row.rollout.attempts, row.rollout.loop.queue_depths
    return StartResult(row.number, row.cluster, attempts.success, attempts.ticks / fps, attempts.grasps, depths)


def _by_cluster(tried: Sequence[TriedStart]) -> dict[str, str]:
    clusters = sorted({row.cluster for row in tried})
    rows = {c: [row.rollout.attempts.success for row in tried if row.cluster == c] for c in clusters}
    return {str(cluster): f"{sum(won)}/{len(won)}" for cluster, won in rows.items()}


def name_apart(first: RolloutReport, second: RolloutReport, policies: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """How two batches are called where they stand side by side: by what is not the same in them. `policies`: their labels."""
    sides = [(policy, *_facts(report)) for policy, report in zip(policies, (first, second), strict=True)]
    apart = [(one, other) for one, other in zip(*sides, strict=True) if one != other]
    if not apart:
        return "the first", "the second"
    return ", ".join(one for one, _ in apart), ", ".join(other for _, other in apart)


def _facts(report: RolloutReport) -> tuple[str, str, str, str]:
    delay = f"{latency(report.latency_ms / 1e3)} of latency" if report.latency_ms else "no latency"
    return variant_label(report.variant), mode_label(report.mode), delay, f"{report.fps:g} fps"


@dataclass(frozen=True, slots=True)
class PairedStarts:
    """Two batches over the same starts, by McNemar's exact test."""

    n: int
    only_first: int
    only_second: int
    p: float
    verdict: str  # "different" | "not distinguishable"
    test: str
    sentence: str


def paired(first: RolloutReport, second: RolloutReport, names: tuple[str, str]) -> PairedStarts:
    """Raises `InvalidInput` when the two were not tried from the same starts."""
    one, other = ({row.start: row.success for row in report.starts} for report in (first, second))
    if one.keys() != other.keys():
        raise InvalidInput("the two batches were not tried from the same starts, so they cannot be compared in pairs")
    only = sum(one[start] and not other[start] for start in one), sum(other[start] and not one[start] for start in one)
    p = mcnemar_exact(*only)
    verdict = "different" if p < _SIGNIFICANT else "not distinguishable"
    return PairedStarts(len(one), *only, p, verdict, "McNemar, exact, two-sided", _sentence(len(one), only, p, names))


def _sentence(n: int, only: tuple[int, int], p: float, names: tuple[str, str]) -> str:
    """Says that they differ only where the test does."""
    if only == (0, 0):
        return f"{names[0]} and {names[1]} solved the same of the {n} starts, so these starts do not tell them apart."
    counts = f"Of {n} starts {only[0]} {_was(only[0])} solved only with {names[0]} and {only[1]} only with {names[1]}"
    test = f"McNemar's exact test: p = {p:.2g}"
    if p < _SIGNIFICANT:
        return f"{counts} ({test}): {names[only[1] > only[0]]} solves more of such starts."
    return f"{counts} ({test}): that does not tell them apart."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
