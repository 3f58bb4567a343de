"""The numbers behind each figure of the Trap tab as tables: what a reader can open under the figure and take along as CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["TABLES", "Table"]

Report = Mapping[str, Any]
Table = dict[str, Any]  # {"columns": [...], "rows": [[...]]}: numbers as they were measured, not rounded

SPAN = ("mean", "low", "high")
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
SIZES = ("bytes", "fp32_bytes", "ms", "fp32_ms")


def _table(columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> Table:
    return {"columns": list(columns), "rows": [list(row) for row in rows]}


def _spans(*names: str) -> list[str]:
    return [f"{name}_{part}" for name in names for part in SPAN]


def _span(interval: Mapping[str, Any] | None) -> list[Any]:
    return [interval[part] if interval else None for part in SPAN]


def _sensitivity(report: Report) -> Table:
    names = ["stage", "precision", "operands", "variant", *_spans("error", "vs_recorded"), *MEASURED, "sha256"]
    return _table(names, (_measured(cell) for cell in report["sensitivity"]))


def _measured(cell: Mapping[str, Any]) -> list[Any]:
    named = [cell[key] for key in ("stage", "precision", "operands", "variant")]
    return [*named, *_span(cell["error"]), *_span(cell["vs_recorded"]), *[cell[key] for key in MEASURED], " ".join(cell["sha256"])]


def _sizes(report: Report) -> Table:
    rows = ([cell["stage"], cell["precision"], *[cell[key] for key in SIZES]] for cell in report["sensitivity"])
    return _table(["stage", "precision", *SIZES], rows)


def _iterations(report: Report) -> Table:
    keys = ("teacher_forced", "free_running", "propagated", "sqnr_db", "cosine", "kappa")
    extra = ("amplification", "coherence")

    def rows() -> Iterator[Sequence[Any]]:
        for precision, found in report["per_iteration"].items():
            for k in range(len(found["free_running"])):
                own = [_at(found.get(key), k) for key in keys]
                yield [precision, k, *own, *[_at(report.get(key, {}).get(precision), k) for key in extra]]

    return _table(["precision", "iteration", *keys, *extra], rows())


def _at(values: Sequence[float] | None, k: int) -> float | None:
    return values[k] if values is not None and k < len(values) else None


def _steps(report: Report) -> Table:
    def rows() -> Iterator[Sequence[Any]]:
        for row in report["steps"]:
            yield [row["steps"], "solver", *_span(row["solver"]), row["in_seed_spreads"].get("solver"), row["ms"]]
            yield [row["steps"], "fp32 vs recorded", *_span(row["vs_recorded"]), None, row["ms"]]
            for precision, interval in row["quantization"].items():
                yield [row["steps"], precision, *_span(interval), row["in_seed_spreads"].get(precision), row["ms"]]

    return _table(["steps", "what", *_spans("error"), "in_seed_spreads", "fp32_ms"], rows())


def _positions(report: Report) -> Table:
    found = report["by_position"]
    count = max((len(values) for values in found.values()), default=0)
    return _table(["position", *found], ([k, *[_at(values, k) for values in found.values()]] for k in range(count)))


def _two_by_two(report: Report) -> Table:
    parts = ("prefix", "expert", "both")
    numbers = ("ratio", "residual", "cosine")
    rows = (
        [pair["precision"], *[v for part in parts for v in _span(pair[part])], *[pair[n] for n in numbers]] for pair in report["two_by_two"]
    )
    return _table(["precision", *_spans(*parts), *numbers], rows)


def _layers(report: Report) -> Table:
    keys = ("stage", "layer", "precision", "own_error", "weight_bytes")
    rows = ([*[layer[key] for key in keys], *_span(layer["action_error"])] for layer in report["layers"])
    return _table([*keys, *_spans("action_error")], rows)


def _smoothness(report: Report) -> Table:
    named = report.get("smoothness", {})
    keys = list(dict.fromkeys(key for values in named.values() for key in values))
    return _table(["variant", *keys], ([name, *[values.get(key) for key in keys]] for name, values in named.items()))


TABLES: Mapping[str, Callable[[Report], Table]] = {
    "heatmap": _sensitivity,
    "speed": _sizes,
    "iterations": _iterations,
    "by_position": _positions,
    "steps": _steps,
    "two_by_two": _two_by_two,
    "layers": _layers,
    "smoothness": _smoothness,
}
