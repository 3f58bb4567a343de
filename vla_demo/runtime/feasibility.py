"""Can inference keep up with execution? Arithmetic on four numbers; what really happens is measured by the control loop.

Two rules. The article of NXP and Hugging Face (5 March 2026) asks that a chunk be inferred in less time than it takes to execute:
T < N / fps. That is not enough for chunks that are stamped by their observation: what was executed while inference ran is stale when the
chunk arrives, and the queue lasts at most min(g, 1/2) * N ticks beyond the request (g: chunk_size_threshold).
"""

from dataclasses import dataclass

from vla_demo.core.errors import InvalidInput

__all__ = ["Feasibility", "feasibility"]


@dataclass(frozen=True, slots=True)
class Feasibility:
    """The verdict for one latency. Slacks are negative by what is missing."""

    covered: bool  # the article's rule: T < N / fps
    covered_slack_ms: float
    covered_fps: float  # the highest that keeps the article's rule
    sustained: bool  # the stricter rule: T * fps <= min(g, 1/2) * N
    sustained_slack_ms: float
    sustained_fps: float  # the highest that keeps the stricter rule
    idle_share: float  # of ticks without an action in the long run, when every chunk takes T: a model, see `feasibility`


def feasibility(latency: float, chunk: int, fps: float, threshold: float) -> Feasibility:
    """`latency` in s from observation to the arrival of its chunk of `chunk` actions; `threshold` is LeRobot's chunk_size_threshold.

    With d = T * fps ticks of delay and m = min(g, 1/2) * N the settled queue holds m actions when the next chunk is asked for. They last m
    ticks of the d, and the chunk leaves N - m new ones, of which N - 2m go before the next request: idle_share = (d - m) / (d + N - 2m),
    and 0 under the stricter rule. A closed form of our own, checked against the control loop. Raises `InvalidInput`.
    """
    if latency < 0 or chunk < 1 or fps <= 0 or not 0 <= threshold <= 1:
        raise InvalidInput(
            f"latency {latency} s, chunk {chunk}, fps {fps}, threshold {threshold}: wanted are latency >= 0, chunk >= 1, fps > 0, "
            "threshold 0 to 1"
        )
    reserve = min(threshold, 0.5) * chunk  # actions
    covered, sustained = chunk / fps, reserve / fps
    return Feasibility(
        covered=latency < covered,
        covered_slack_ms=(covered - latency) * 1e3,
        covered_fps=_highest(chunk, latency),
        sustained=latency <= sustained,
        sustained_slack_ms=(sustained - latency) * 1e3,
        sustained_fps=_highest(reserve, latency),
        idle_share=_idle_share(latency * fps, chunk, reserve),
    )


def _idle_share(delay: float, chunk: int, reserve: float) -> float:
    return max(0.0, delay - reserve) / (delay + chunk - 2 * reserve) if delay > 0 else 0.0


def _highest(actions: float, latency: float) -> float:
    return actions / latency if latency > 0 else float("inf")
