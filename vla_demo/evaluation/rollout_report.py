"""What a batch of rollouts amounts to: a count with its interval, by cluster, and how the loop fared. Two variants compare in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import Variant
from vla_demo.evaluation.closed_loop import TriedStart
from vla_demo.evaluation.fingerprint import RunFingerprint
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.statistics import mcnemar_exact, wilson_interval
from vla_demo.runtime.strict_json import to_json

__all__ = ["RolloutReport", "paired", "paired_starts", "told_apart"]

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """`as_json` is the CLI's schema."""

    variant: Variant
    mode: str
    latency: LatencySource
    fps: float
    tried: tuple[TriedStart, ...]  # not empty
    fingerprint: RunFingerprint | None = None  # None: of a rollout that was watched and not kept

    @property
    def successes(self) -> int:
        return sum(row.rollout.attempts.success for row in self.tried)

    @property
    def by_cluster(self) -> dict[str, str]:
        """Cluster -> "successes/n"."""
        clusters = sorted({row.cluster for row in self.tried})
        rows = {c: [row.rollout.attempts.success for row in self.tried if row.cluster == c] for c in clusters}
        return {str(cluster): f"{sum(won)}/{len(won)}" for cluster, won in rows.items()}

    def as_json(self, traces: bool = False) -> dict[str, Any]:
        """Shares are over all ticks (or actions) of all rollouts; jump and jerk are means over rollouts, times medians over successes.

        `traces` adds to every start its queue depth after each tick.
        """
        loops = [row.rollout.loop for row in self.tried]
        attempts = [row.rollout.attempts for row in self.tried]
        ticks, received = sum(loop.ticks for loop in loops), sum(loop.actions_received for loop in loops)
        return {
            "variant": str(self.variant),
            "mode": self.mode,
            "latency_ms": round(self.latency.seconds * 1e3, 3),
            "latency_kind": self.latency.kind,
            "latency_source": self.latency.about,
            "fps": self.fps,
            "successes": self.successes,
            "n": len(self.tried),
            "wilson95": list(wilson_interval(self.successes, len(self.tried))),
            "by_cluster": self.by_cluster,
            "idle_share": sum(loop.starved_ticks for loop in loops) / ticks,
            "starved_ticks": sum(loop.starved_ticks for loop in loops),
            "stale_share": sum(loop.stale_actions for loop in loops) / received if received else None,
            "boundary_jump": _mean([loop.boundary_jump for loop in loops]),
            "jerk": _mean([loop.jerk for loop in loops]),
            "queue_depth": sum(sum(loop.queue_depths) for loop in loops) / ticks,
            "late_ticks": sum(loop.late_ticks for loop in loops),
            "failed_inferences": sum(loop.failed_inferences for loop in loops),
            "deadline_misses": sum(loop.deadline_misses for loop in loops),
            "observation_age_s": _mean([loop.observation_age for loop in loops]),
            "time_to_success_s": _median([a.ticks / self.fps for a in attempts if a.success]),
            "drops": sum(a.drops for a in attempts),
            "retries": sum(a.retries for a in attempts),
            "fingerprint": to_json(self.fingerprint),
            "starts": [self._start(row, traces) for row in self.tried],
        }

    def _start(self, row: TriedStart, traces: bool) -> dict[str, Any]:
        told = row.rollout.attempts
        found = {"start": row.number, "cluster": row.cluster, "success": told.success, "seconds": told.ticks / self.fps}
        trace = {"queue_depths": list(row.rollout.loop.queue_depths)} if traces else {}
        return found | {"grasps": told.grasps} | trace


def told_apart(first: RolloutReport, second: RolloutReport) -> tuple[str, str]:
    """How two batches of one policy are called where they stand side by side: by what is not the same in them."""
    sides = [[*str(r.variant).split(","), r.mode, f"{r.latency.seconds * 1e3:g} ms", f"{r.fps:g} fps"] for r in (first, second)]
    apart = [(one, other) for one, other in zip(*sides, strict=True) if one != other]
    return ", ".join(one for one, _ in apart), ", ".join(other for _, other in apart)


def paired(first: RolloutReport, second: RolloutReport, names: tuple[str, str]) -> dict[str, Any]:
    """`paired_starts` of two reports."""
    one, other = ({row.number: row.rollout.attempts.success for row in report.tried} for report in (first, second))
    return paired_starts(one, other, names)


def paired_starts(first: Mapping[int, bool], second: Mapping[int, bool], names: tuple[str, str]) -> dict[str, Any]:
    """McNemar's exact test over the same starts (number -> success). Raises `InvalidInput` when they are not the same."""
    if first.keys() != second.keys():
        raise InvalidInput("the two batches were not tried from the same starts, so they cannot be compared in pairs")
    only_first = sum(first[start] and not second[start] for start in first)
    only_second = sum(second[start] and not first[start] for start in first)
    p = mcnemar_exact(only_first, only_second)
    return {
        "n": len(first),
        "only_first": only_first,
        "only_second": only_second,
        "p": p,
        "verdict": "different" if p < _SIGNIFICANT else "not distinguishable",
        "test": "McNemar, exact, two-sided",
        "sentence": _sentence(len(first), (only_first, only_second), p, names),
    }


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
