"""What the batch tells the page: rows of the table, and the article's beside them. Pure functions of plain data."""

from collections.abc import Mapping, Sequence
from typing import Any

from vla_demo.core.formats import count, latency, optional, percent
from vla_demo.core.labels import LATENCY_KINDS, board_label, mode_label, variant_label
from vla_demo.evaluation.claims.article import ARTICLE, ARTICLE_LINK, PRINTED, PrintedRow, notes
from vla_demo.evaluation.rollout_report import RolloutReport, StartResult
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.robot.trials import RobotRate

__all__ = ["HOW", "INTRO", "article", "judged", "row"]

INTRO = "One rollout tells little. The protocol tries 20 starts in the ten training clusters and 10 in cluster 6, which training never saw."
HOW = (
    "Counts of 30 starts with Wilson's 95 % interval, 60 simulated seconds a start; success: the bag rests in the mug and the gripper has "
    "let go. Idle: ticks without an action. Jerk and jump are of the commanded actions, means over the starts: standard deviations per "
    "second cubed, and the step from one chunk to the next over a step inside a chunk. Time: median of the successes. Latency is "
    "simulated: every inference costs what is said, however long it took; what is published or predicted is that "
    "of a full-size policy on an i.MX95. What was measured on a board was judged by a person in the tab Robot, from starts as they came."
)


def row(name: str, label: str, report: RolloutReport, splits: Mapping[int, str], shipped: bool) -> dict[str, Any]:
    """One line of the table. `splits`: start -> test or validation."""
    low, high = report.wilson95
    return {
        "id": name,
        "policy": label,
        "variant": variant_label(report.variant),
        "stages": report.variant,
        "mode": mode_label(report.mode),
        "fps": f"{report.fps:g} fps",
        "latency": latency(report.latency_ms / 1e3) if report.latency_ms else "none",
        "kind": LATENCY_KINDS[report.latency_kind] if report.latency_ms else "",
        "source": report.latency_source,
        "successes": report.successes,
        "n": report.n,
        "low": low,
        "high": high,
        "splits": {split: _successes(report.starts, splits, split) for split in ("test", "validation")},
        "idle": percent(report.idle_share),
        "jerk": optional(report.jerk, "{:.0f}"),
        "jump": optional(report.boundary_jump, "{:.1f} ×"),
        "time": optional(report.time_to_success_s, "{:.1f} s"),
        "failed": [_failed(start, splits) for start in report.starts if not start.success],
        "shipped": shipped,
    }


def judged(found: RobotRate, label: str) -> dict[str, Any]:
    """A line of the table for tasks on a robot. `label`: the policy's."""
    low, high = found.interval
    times = f"median of {count(found.inferences, 'inference')} during these tasks"
    return {
        "policy": label,
        "variant": variant_label(found.variant),
        "stages": found.variant,
        "mode": mode_label(found.mode),
        "board": f"measured on {board_label(found.board, found.kind)}",
        "latency": "–" if found.inference_s is None else latency(found.inference_s),
        "kind": "" if found.inference_s is None else LATENCY_KINDS["board"],
        "source": "" if found.inference_s is None else times,
        "successes": found.successes,
        "n": found.n,
        "low": low,
        "high": high,
    }


def _successes(starts: Sequence[StartResult], splits: Mapping[int, str], split: str) -> str:
    tried = [start.success for start in starts if splits.get(start.start) == split]
    return f"{sum(tried)}/{len(tried)}"


def _failed(start: StartResult, splits: Mapping[int, str]) -> dict[str, Any]:
    """A button: which start, and what happened there."""
    number, split = start.start, splits.get(start.start, "start")
    place = [one for one in splits if splits[one] == splits.get(number)].index(number) + 1 if number in splits else number
    grasps = {0: "never grasped", 1: "grasped once"}.get(start.grasps, f"grasped {start.grasps} times")
    return {"start": number, "label": f"{split[0].upper()}{place}", "about": f"{split} {place}, cluster {start.cluster}: {grasps}"}


def article() -> dict[str, Any]:
    """The article's table, as printed, with what recomputing it gives."""
    return {"title": ARTICLE, "link": ARTICLE_LINK, "rows": [_printed(one) for one in PRINTED], "notes": notes()}


def _printed(one: PrintedRow) -> dict[str, Any]:
    found = {"policy": one.policy, "format": one.format, "latency": f"{one.latency:g} s", "slip": one.slip}
    shares = {"test": one.test, "validation": one.validation, "overall": one.overall}
    if one.successes is None:
        return {**found, **shares, "successes": None}
    low, high = wilson_interval(one.successes, 30)
    return {**found, **shares, "successes": one.successes, "n": 30, "low": low, "high": high}
