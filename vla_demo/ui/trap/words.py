"""The sentences of the Trap tab: what a figure plots, and where and when its numbers were computed. The readings come with the report."""

from collections.abc import Callable, Mapping

from vla_demo.core.formats import duration, megabytes, milliseconds, moment, percent
from vla_demo.core.labels import stage_label
from vla_demo.evaluation.sensitivity import SensitivityReport, StageCost

__all__ = ["CAPTIONS", "NOTHING", "computed", "first_half", "together"]

NOTHING = (
    "Nothing has been computed for this policy yet. Compute quantizes each stage in each precision, runs it beside FP32 over the recorded "
    "episodes with the same noise, and draws what it costs. It can take an hour on a busy two-core machine and can be stopped."
)
ITERATIONS = "RMS in standard deviations of the action, logarithmic; the same observations and noise in FP32 and in the variant."
STEPS = (
    "RMS in standard deviations of the action, with 95 % intervals. Seed to seed: how far FP32's own plans lie apart when only the noise "
    "changes."
)
LAYERS = (
    "Error at the actions when only this layer has the precision, worst first; RMS in standard deviations of the action, 95 % intervals."
)
POSITIONS = "RMS in standard deviations of the action, logarithmic."
SMOOTHNESS = (
    "Jerk: third difference of the planned actions, standard deviations per s³. Boundary jump: the first step into a plan over the median "
    "step inside it. Gripper flips: changes of its direction in a second."
)


def _heatmap(report: SensitivityReport) -> str:
    return (
        f"RMS over a chunk against FP32, in {report.unit}; below it n, the number of observations, and, where there is room, the 95 % "
        "interval. ▲ against the recorded actions the variant is worse than FP32, ▼ better, no mark: not distinguishable. "
        "Choose a cell to open its variant in Replay."
    )


def _speed(report: SensitivityReport) -> str:
    own = "; ".join(
        ", ".join([f"{stage_label(role).lower()} {megabytes(cost.bytes)}", *_timed(cost)]) for role, cost in report.fp32.stages.items()
    )
    fp32 = f" FP32: {own}." if own else ""
    return (
        f"Each mark is one stage in one precision.{fp32} Times are medians of a dozen chunks in turns with FP32's; where other work runs, "
        "read the ratios, not the milliseconds."
    )


def _timed(cost: StageCost) -> list[str]:
    """Nothing where it was not timed."""
    return [milliseconds(cost.ms)] if cost.ms else []


def _two_by_two(report: SensitivityReport) -> str:
    return (
        f"Only the {first_half(report)} in that precision, only the expert, both. ◇ is the sum of the two sizes, which both reach only if "
        "the two errors point the same way. Each precision has its own scale. RMS in standard deviations of the action, 95 % intervals."
    )


def first_half(report: SensitivityReport) -> str:
    """What a policy has before its expert: a prefix of pictures, words and joints, or just pictures."""
    return "prefix" if report.per_iteration else "vision"


def together(ratio: float | None) -> str:
    return "" if ratio is None else f"both ÷ sum {ratio:.2f}"


CAPTIONS: Mapping[str, Callable[[SensitivityReport], str]] = {  # what is plotted, by a figure's name
    "heatmap": _heatmap,
    "speed": _speed,
    "iterations": lambda _: ITERATIONS,
    "by_position": lambda _: POSITIONS,
    "steps": lambda _: STEPS,
    "two_by_two": _two_by_two,
    "layers": lambda _: LAYERS,
    "smoothness": lambda _: SMOOTHNESS,
}


def computed(report: SensitivityReport) -> str:
    """One small paragraph: when, where, from how much, of which checkpoint."""
    made = report.computed
    seen = f"{report.n_observations} observations of {report.n_episodes} recorded episodes"
    return (
        f"Computed on {moment(made.when)} on {made.machine} in {duration(made.seconds)}, from {seen}. "
        f"Checkpoint {(report.revision or report.checkpoint)[:12]}. "
        f"Intervals are {percent(report.bootstrap.level)}, bootstrapped over whole episodes."
    )
