"""The numbers behind each figure of the Trap tab as tables: what a reader can open under the figure and take along as CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import SensitivityReport

__all__ = ["SMOOTHNESS", "TABLES", "Table"]

Value = str | float | None
Rows = Iterator[Sequence[Value]]


class Table(TypedDict):
    """Numbers as they were measured, not rounded."""

    columns: list[str]
    rows: list[list[Value]]


SPAN = ("mean", "low", "high")
NAMED = ("stage", "precision", "operands", "variant")
MEASURED = (
    "verdict",
    "max_abs",
    "min_cosine",
    "p95",
    "quantized_nodes",
    "nodes",
    "quantized_weight_bytes",
    "weight_bytes",
    "n_observations",
)
SIZES = ("stage", "precision", "bytes", "fp32_bytes", "ms", "fp32_ms")
EXPERT = ("teacher_forced", "free_running", "propagated", "sqnr_db", "cosine", "kappa")
PARTS, NUMBERS = ("prefix", "expert", "both"), ("ratio", "residual", "cosine")
LAYER = ("stage", "layer", "precision", "own_error", "weight_bytes")
SMOOTHNESS = ("jerk", "boundary_jump", "gripper_flips")


def _table(columns: Sequence[str], rows: Rows) -> Table:
    return {"columns": list(columns), "rows": [list(row) for row in rows]}


def _spans(*names: str) -> list[str]:
    return [f"{name}_{part}" for name in names for part in SPAN]


def _span(interval: Interval | None) -> list[Value]:
    return _fields(interval, SPAN) if interval else [None] * len(SPAN)


def _fields(row: Any, names: Sequence[str]) -> list[Value]:
    return [getattr(row, name) for name in names]


def _at(values: Sequence[float | None] | None, k: int) -> float | None:
    return values[k] if values is not None and k < len(values) else None


def _sensitivity(report: SensitivityReport) -> Table:
    rows = (
        [*_fields(row, NAMED), *_span(row.error), *_span(row.vs_recorded), *_fields(row, MEASURED), " ".join(row.sha256)]
        for row in report.sensitivity
    )
    return _table([*NAMED, *_spans("error", "vs_recorded"), *MEASURED, "sha256"], rows)


def _sizes(report: SensitivityReport) -> Table:
    return _table(SIZES, (_fields(row, SIZES) for row in report.sensitivity))


def _iterations(report: SensitivityReport) -> Table:
    extra = {"amplification": report.amplification, "coherence": report.coherence}

    def rows() -> Rows:
        for precision, found in report.per_iteration.items():
            for k in range(len(found.free_running)):
                own = [_at(getattr(found, key), k) for key in EXPERT]
                yield [precision, k, *own, *[_at(values.get(precision), k) for values in extra.values()]]

    return _table(["precision", "iteration", *EXPERT, *extra], rows())


def _steps(report: SensitivityReport) -> Table:
    def rows() -> Rows:
        for row in report.steps:
            spreads = row.in_seed_spreads
            yield [row.steps, "solver", *_span(row.solver), spreads.get("solver"), row.ms]
            yield [row.steps, "fp32 vs recorded", *_span(row.vs_recorded), None, row.ms]
            for precision, interval in row.quantization.items():
                yield [row.steps, precision, *_span(interval), spreads.get(precision), row.ms]

    return _table(["steps", "what", *_spans("error"), "in_seed_spreads", "fp32_ms"], rows())


def _positions(report: SensitivityReport) -> Table:
    found = report.by_position
    count = max((len(values) for values in found.values()), default=0)
    return _table(["position", *found], ([k, *[_at(values, k) for values in found.values()]] for k in range(count)))


def _two_by_two(report: SensitivityReport) -> Table:
    rows = (
        [pair.precision, *[value for part in PARTS for value in _span(getattr(pair, part))], *_fields(pair, NUMBERS)]
        for pair in report.two_by_two
    )
    return _table(["precision", *_spans(*PARTS), *NUMBERS], rows)


def _layers(report: SensitivityReport) -> Table:
    return _table([*LAYER, *_spans("action_error")], ([*_fields(layer, LAYER), *_span(layer.action_error)] for layer in report.layers))


def _smoothness(report: SensitivityReport) -> Table:
    return _table(["variant", *SMOOTHNESS], ([name, *_fields(found, SMOOTHNESS)] for name, found in report.smoothness.items()))


TABLES: Mapping[str, Callable[[SensitivityReport], Table]] = {
    "heatmap": _sensitivity,
    "speed": _sizes,
    "iterations": _iterations,
    "by_position": _positions,
    "steps": _steps,
    "two_by_two": _two_by_two,
    "layers": _layers,
    "smoothness": _smoothness,
}
