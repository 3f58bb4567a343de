"""The line figures of the Trap tab: error over denoising iterations, numbers of steps, positions in a chunk. Report JSON in, JSON out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vla_demo.core.labels import precision_label
from vla_demo.ui.trap import words
from vla_demo.ui.trap.names import in_order, scheme_of

__all__ = ["iterations", "positions", "steps"]

Figure = dict[str, Any]
Report = Mapping[str, Any]


def iterations(report: Report) -> Figure:
    found = report["per_iteration"]
    precisions = in_order(found)
    count = max((len(found[precision]["teacher_forced"]) for precision in precisions), default=0)
    ticks = [{"at": k, "label": str(k)} for k in range(1, count + 1)]
    fresh = [_line(p, [[k + 1, value] for k, value in enumerate(found[p]["teacher_forced"])]) for p in precisions]
    grown = [_line(p, [[k, value] for k, value in enumerate(found[p]["free_running"]) if k]) for p in precisions]
    return _lines(
        [
            {"title": "Made anew at each iteration", "about": "teacher-forced: error of the velocity on FP32's own path", "series": fresh},
            {"title": "Gathered so far", "about": "free-running: distance of the plan from FP32's after it", "series": grown},
        ],
        {"label": "denoising iteration", "ticks": ticks},
        words.ITERATIONS,
    )


def steps(report: Report) -> Figure:
    rows = sorted(report["steps"], key=lambda row: int(row["steps"]))
    precisions = in_order(precision for row in rows for precision in row["quantization"])
    ticks = [{"at": i, "label": str(row["steps"])} for i, row in enumerate(rows)]

    def points(pick: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]) -> list[list[float]]:
        found = [(i, pick(row)) for i, row in enumerate(rows)]
        return [[i, it["mean"], it["low"], it["high"]] for i, it in found if it]

    solver = {"label": "solver", "ink": "plain", "dash": True, "points": points(lambda row: row["solver"])}
    lines = [_line(p, points(lambda row, p=p: row["quantization"].get(p))) for p in precisions]  # type: ignore[misc]
    spread = report["fp32"].get("seed_spread")
    return _lines(
        [
            {
                "title": "Solver and quantization apart",
                "about": "solver: FP32 against FP32 of 100 steps; a precision: against FP32 of as many steps",
                "series": [solver, *lines],
                "level": {"at": spread["mean"], "label": "seed to seed"} if spread else None,
            },
            {
                "title": "Against the recorded actions",
                "about": "FP32; can rise with steps while success rises too",
                "series": [{"label": "FP32", "ink": "plain", "dash": False, "points": points(lambda row: row["vs_recorded"])}],
                "linear": True,
            },
        ],
        {"label": "denoising steps", "ticks": ticks},
        words.STEPS,
    )


def positions(report: Report) -> Figure:
    found = {name: values for name, values in report["by_position"].items() if name != "fp32"}  # its own is against the recording
    count = max((len(values) for values in found.values()), default=0)
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if count / step <= 12)
    ticks = [{"at": k, "label": str(k)} for k in range(0, count, every)]
    series = [_line(p, [[k, value] for k, value in enumerate(found[p])]) for p in in_order(found)]
    panel = {"title": "All stages in one precision", "about": "error of each action of a chunk against FP32's", "series": series}
    return _lines([panel], {"label": "position in the chunk", "ticks": ticks}, words.POSITIONS)


def _line(precision: str, points: list[list[float]]) -> Figure:
    return {"label": precision_label(precision), "ink": scheme_of(precision), "dash": False, "points": points}


def _lines(panels: Sequence[Figure], x: Figure, caption: str) -> Figure:
    return {"kind": "lines", "panels": panels, "x": x, "caption": caption} if x["ticks"] else {}
