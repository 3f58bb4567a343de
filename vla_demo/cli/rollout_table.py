"""A batch of rollouts as text for a terminal, every figure with its count or its source."""

from collections.abc import Iterator

from vla_demo.core.formats import interval, optional, percent
from vla_demo.evaluation.rollout_report import RolloutReport

__all__ = ["rollout_table"]


def rollout_table(report: RolloutReport, policy: str) -> str:
    """A line a figure."""
    latency = f"{report.latency_ms:g} ms ({report.latency_kind}: {report.latency_source})"
    lines = [f"{policy}  {report.variant}", f"{report.mode}, {report.fps:g} fps, latency {latency}", ""]
    return "\n".join([*lines, *(f"{name:<18}{text}" for name, text in _rows(report))])


def _rows(report: RolloutReport) -> Iterator[tuple[str, str]]:
    stale = "-" if report.stale_share is None else f"{percent(report.stale_share, 1)} of the planned actions"
    yield "success", f"{report.successes}/{report.n}  (95 % interval {interval(*report.wilson95)}, Wilson)"
    yield "by cluster", ", ".join(f"{cluster}: {count}" for cluster, count in report.by_cluster.items())
    yield "time to success", optional(report.time_to_success_s, "{:.1f} s, median of the successes", "-")
    yield "idle", f"{percent(report.idle_share, 1)}  ({report.starved_ticks} ticks without an action)"
    yield "stale", stale
    yield "queue depth", f"{report.queue_depth:.0f} actions, mean over all ticks"
    yield "observation age", optional(report.observation_age_s, "{:.2f} s behind each executed action, mean of medians", "-")
    yield "boundary jump", optional(report.boundary_jump, "{:.2f} times a step inside a chunk", "-")
    yield "jerk", optional(report.jerk, "{:.0f} standard deviations per second cubed", "-")
    yield "drops, retries", f"{report.drops}, {report.retries}"
    if report.fingerprint is not None:
        yield "fingerprint", f"{report.fingerprint.digest}  (settings, graphs, code, libraries and machine; --json lists them)"
