"""The numbers behind each figure of the Trap tab as tables: what a reader can open under the figure and take along as CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from vla_demo.evaluation.sensitivity import SensitivityReport

__all__ = ["SMOOTHNESS", "TABLES", "Table"]

Value = str | float | None


class Table(TypedDict):
    """Numbers as they were measured, not rounded."""

    columns: list[str]
    rows: list[list[Value]]


INTERVALS = {"error", "vs_recorded", "prefix", "expert", "both", "action_error"}  # each is three columns
ENDS = ("mean", "low", "high")
WEIGHTS = ("quantized_nodes", "nodes", "quantized_weight_bytes", "weight_bytes")
ERRORS = ("error", "vs_recorded", "verdict", "max_abs", "min_cosine", "p95")
MEASURED = ("stage", "precision", "operands", "variant", *ERRORS, *WEIGHTS, "n_observations", "sha256")
SIZES = ("stage", "precision", "bytes", "fp32_bytes", "ms", "fp32_ms")
PAIRS = ("precision", "prefix", "expert", "both", "ratio", "residual", "cosine")
LAYERS = ("stage", "layer", "precision", "own_error", "weight_bytes", "action_error")
EXPERT = ("teacher_forced", "free_running", "propagated", "sqnr_db", "cosine", "kappa")
SMOOTHNESS = ("jerk", "boundary_jump", "gripper_flips")


def _table(fields: Sequence[str], rows: Sequence[Any]) -> Table:
    """A row of numbers an object, a column a field of it."""
    columns = [name for field in fields for name in ([f"{field}_{end}" for end in ENDS] if field in INTERVALS else [field])]
    return {"columns": columns, "rows": [[value for field in fields for value in _values(row, field)] for row in rows]}


def _values(row: Any, field: str) -> Sequence[Value]:
    found = getattr(row, field)
    if field in INTERVALS:
        return [getattr(found, end, None) for end in ENDS]
    return [" ".join(found) if isinstance(found, tuple) else found]


def _at(values: Sequence[float | None] | None, k: int) -> float | None:
    return values[k] if values is not None and k < len(values) else None


def _iterations(report: SensitivityReport) -> Table:
    extra = {"amplification": report.amplification, "coherence": report.coherence}

    def rows() -> Iterator[list[Value]]:
        for precision, found in report.per_iteration.items():
            for k in range(len(found.free_running)):
                own = [_at(getattr(found, key), k) for key in EXPERT]
                yield [precision, k, *own, *[_at(values.get(precision), k) for values in extra.values()]]

    return {"columns": ["precision", "iteration", *EXPERT, *extra], "rows": list(rows())}


def _steps(report: SensitivityReport) -> Table:
    columns = ["steps", "what", *[f"error_{end}" for end in ENDS], "in_seed_spreads", "fp32_ms"]

    def rows() -> Iterator[list[Value]]:
        for row in report.steps:
            for what, found in {"solver": row.solver, "fp32 vs recorded": row.vs_recorded, **row.quantization}.items():
                yield [row.steps, what, found.mean, found.low, found.high, row.in_seed_spreads.get(what), row.ms]

    return {"columns": columns, "rows": list(rows())}


def _positions(report: SensitivityReport) -> Table:
    found = report.by_position
    count = max((len(values) for values in found.values()), default=0)
    return {"columns": ["position", *found], "rows": [[k, *[_at(values, k) for values in found.values()]] for k in range(count)]}


def _smoothness(report: SensitivityReport) -> Table:
    rows = [[name, *[getattr(found, key) for key in SMOOTHNESS]] for name, found in report.smoothness.items()]
    return {"columns": ["variant", *SMOOTHNESS], "rows": rows}


TABLES: Mapping[str, Callable[[SensitivityReport], Table]] = {
    "heatmap": lambda report: _table(MEASURED, report.sensitivity),
    "speed": lambda report: _table(SIZES, report.sensitivity),
    "iterations": _iterations,
    "by_position": _positions,
    "steps": _steps,
    "two_by_two": lambda report: _table(PAIRS, report.two_by_two),
    "layers": lambda report: _table(LAYERS, report.layers),
    "smoothness": _smoothness,
}
