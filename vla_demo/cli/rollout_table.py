"""A batch of rollouts as text for a terminal, every figure with its count or its source."""

from collections.abc import Iterator
from typing import Any

from vla_demo.core.formats import interval, percent
from vla_demo.evaluation.rollout_report import RolloutReport

__all__ = ["rollout_table"]


def rollout_table(report: RolloutReport, policy: str) -> str:
    """A line a figure."""
    found = report.as_json()
    lines = [f"{policy}  {report.variant}", f"{report.mode}, {report.fps:g} fps, latency {_latency(found)}", ""]
    return "\n".join([*lines, *(f"{name:<18}{text}" for name, text in _rows(found))])


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    low, high = found["wilson95"]
    yield "success", f"{found['successes']}/{found['n']}  (95 % interval {interval(low, high)}, Wilson)"
    yield "by cluster", ", ".join(f"{cluster}: {count}" for cluster, count in found["by_cluster"].items())
    yield "time to success", _figure(found["time_to_success_s"], "{:.1f} s, median of the successes")
    yield "idle", f"{percent(found['idle_share'], 1)}  ({found['starved_ticks']} ticks without an action)"
    yield "stale", "-" if found["stale_share"] is None else f"{percent(found['stale_share'], 1)} of the planned actions"
    yield "queue depth", f"{found['queue_depth']:.0f} actions, mean over all ticks"
    yield "observation age", _figure(found["observation_age_s"], "{:.2f} s behind each executed action, mean of medians")
    yield "boundary jump", _figure(found["boundary_jump"], "{:.2f} times a step inside a chunk")
    yield "jerk", _figure(found["jerk"], "{:.0f} standard deviations per second cubed")
    yield "drops, retries", f"{found['drops']}, {found['retries']}"


def _latency(found: dict[str, Any]) -> str:
    return f"{found['latency_ms']:g} ms ({found['latency_kind']}: {found['latency_source']})"


def _figure(value: float | None, text: str) -> str:
    return "-" if value is None else text.format(value)
