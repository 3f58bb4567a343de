"""The figures of the Trap tab from a trap report's JSON: what is drawn, its reading, what others published, its numbers as a table.

Pure data in, plain JSON out; how a figure looks is the page's business. A figure whose numbers the report does not have is left out.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vla_demo.core.precision import OFFERED_PRECISIONS, Precision
from vla_demo.evaluation.agreement import Report
from vla_demo.evaluation.published import compare
from vla_demo.ui import trap_words as words
from vla_demo.ui.precisions import precision_label
from vla_demo.ui.trap_tables import TABLES
from vla_demo.ui.words import joint_label

__all__ = ["figures", "in_order", "stage_label"]

Figure = dict[str, Any]
PRECISION = re.compile(rf"\b(?:{'|'.join(sorted(OFFERED_PRECISIONS, key=len, reverse=True))})\b(?!=)")
STAGES: Mapping[str, str] = {"vision": "Vision encoder", "llm": "Language backbone", "expert": "Action expert", "all": "All stages"}


def figures(report: Report) -> list[Figure]:
    """In the order of the page."""
    drawn = [(name, title, draw(report)) for name, (title, draw) in FIGURES.items()]
    return [_figure(report, name, title, data) for name, title, data in drawn if data]


def _figure(report: Report, name: str, title: str, data: Figure) -> Figure:
    """`kind` says how it is drawn, `caption` what is plotted."""
    return {
        "name": name,
        "title": title,
        "readings": [_spoken(finding["text"]) for finding in report["findings"] if finding["figure"] == name],
        "published": [
            {"says": claim.says, "source": claim.source, "link": claim.link, "verdict": found.verdict, "here": found.here}
            for claim, found in compare(report, name)
        ],
        "table": TABLES[name](report),
        **data,
    }


def _spoken(text: str) -> str:
    """Precisions by the names they have on the page: int8w is INT8 weights."""
    return PRECISION.sub(lambda found: precision_label(found.group()), text)


def stage_label(role: str) -> str:
    return STAGES.get(role, role)


def in_order(precisions: Iterable[str]) -> list[str]:
    """Each once, as the dial has them; recipes last."""

    def place(precision: str) -> tuple[int, str]:
        scheme = _scheme(precision)
        return (OFFERED_PRECISIONS.index(scheme) if scheme in OFFERED_PRECISIONS else len(OFFERED_PRECISIONS), precision)

    return sorted(dict.fromkeys(precisions), key=place)


def _scheme(name: str) -> str:
    """Of a precision; of stages in several precisions, as in `vision=int8,llm=int4`, that it is mixed."""
    return "mixed" if "=" in name else Precision.parse(name).scheme


def _label(name: str) -> str:
    return name if "=" in name else precision_label(name)


def _heatmap(report: Report) -> Figure:
    cells = {(cell["precision"], cell["stage"]): cell for cell in report["sensitivity"]}
    roles = [role for role in STAGES if any(role == cell["stage"] for cell in report["sensitivity"])]
    rows = in_order(cell["precision"] for cell in report["sensitivity"])
    return {
        "kind": "heatmap",
        "columns": [{"role": role, "label": stage_label(role)} for role in roles],
        "rows": [_row(precision) for precision in rows],
        "cells": [[_cell(cells.get((precision, role))) for role in roles] for precision in rows],
        "caption": words.heatmap(report["unit"]),
        "hint": words.CELL_HINT,
    }


def _row(precision: str) -> Figure:
    operands = "" if "=" in precision else Precision.parse(precision).operands
    return {"precision": precision, "label": _label(precision), "operands": operands}


def _cell(cell: Mapping[str, Any] | None) -> Figure | None:
    if cell is None:
        return None
    if cell["problem"] is not None:
        why = cell["problem"].partition(": ")  # what it says about, and why
        return {"problem": f"{_subject_of(cell)}: {cell['problem']}", "why": why[2] or why[0]}
    error = cell["error"]
    mark = {"worse": "▲", "better": "▼"}.get(cell["verdict"], "")
    said = f"{_subject_of(cell)}: error {error['mean']:.2g}, {error['low']:.2g} to {error['high']:.2g}"
    return {
        "variant": cell["variant"],
        **{key: error[key] for key in ("mean", "low", "high")},
        "n": cell["n_observations"],
        "mark": mark,
        "said": f"{said}, {cell['n_observations']} observations; against the recorded actions: {cell['verdict']}. Open in Replay",
    }


def _subject_of(cell: Mapping[str, Any]) -> str:
    return f"{stage_label(cell['stage'])} in {_label(cell['precision'])}"


def _speed(report: Report) -> Figure:
    alone = [cell for cell in report["sensitivity"] if cell["stage"] != "all" and cell["problem"] is None and cell["fp32_ms"]]
    rows = in_order(cell["precision"] for cell in alone)

    def marks(of: str) -> list[Figure]:
        return [_mark(cell, of, rows.index(cell["precision"])) for cell in alone]

    if not alone:
        return {}
    return {
        "kind": "dots",
        "rows": [_row(precision) for precision in rows],
        "roles": [{"role": role, "label": stage_label(role)} for role in STAGES if role in {cell["stage"] for cell in alone}],
        "panels": [
            {"title": "Size, against FP32", "left": "smaller", "right": "larger", "marks": marks("bytes")},
            {"title": "Time, against FP32", "left": "faster", "right": "slower here", "marks": marks("ms")},
        ],
        "caption": words.SPEED,
    }


def _mark(cell: Mapping[str, Any], of: str, row: int) -> Figure:
    value, reference = cell[of], cell[f"fp32_{of}"]
    written = f"{value / 1e6:.2f} MB, FP32 {reference / 1e6:.2f} MB" if of == "bytes" else f"{value:.1f} ms, FP32 {reference:.1f} ms"
    said = f"{_subject_of(cell)}: {written}"
    return {"row": row, "role": cell["stage"], "ratio": value / reference, "said": said}


def _iterations(report: Report) -> Figure:
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


def _steps(report: Report) -> Figure:
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


def _positions(report: Report) -> Figure:
    found = {name: values for name, values in report["by_position"].items() if name != "fp32"}  # its own is against the recording
    count = max((len(values) for values in found.values()), default=0)
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if count / step <= 12)
    ticks = [{"at": k, "label": str(k)} for k in range(0, count, every)]
    series = [_line(p, [[k, value] for k, value in enumerate(found[p])]) for p in in_order(found)]
    panel = {"title": "All stages in one precision", "about": "error of each action of a chunk against FP32's", "series": series}
    return _lines([panel], {"label": "position in the chunk", "ticks": ticks}, words.POSITIONS)


def _line(precision: str, points: list[list[float]]) -> Figure:
    return {"label": _label(precision), "ink": _scheme(precision), "dash": False, "points": points}


def _lines(panels: Sequence[Figure], x: Figure, caption: str) -> Figure:
    return {"kind": "lines", "panels": panels, "x": x, "caption": caption} if x["ticks"] else {}


def _two_by_two(report: Report) -> Figure:
    first = "prefix" if report["per_iteration"] else "vision"
    groups = []
    for pair in report["two_by_two"]:
        bars = [{"label": label, "part": part, **pair[part]} for part, label in (("prefix", first), ("expert", "expert"), ("both", "both"))]
        total = pair["prefix"]["mean"] + pair["expert"]["mean"]
        groups.append({**_row(pair["precision"]), "bars": bars, "sum": total, "aside": words.together(pair["ratio"])})
    return {"kind": "groups", "groups": groups, "caption": words.two_by_two(first)} if groups else {}


def _layers(report: Report) -> Figure:
    layers = sorted(report["layers"], key=lambda layer: -float(layer["action_error"]["mean"]))
    bars = [
        {
            "label": layer["layer"],
            "role": layer["stage"],
            "said": f"{stage_label(layer['stage'])}, {layer['layer']} in {_label(layer['precision'])}",
            **layer["action_error"],
        }
        for layer in layers
    ]
    roles = [{"role": role, "label": stage_label(role)} for role in STAGES if role in {layer["stage"] for layer in layers}]
    precisions = ", ".join(_label(p) for p in in_order(layer["precision"] for layer in layers))
    return {"kind": "bars", "bars": bars, "roles": roles, "caption": words.layers(precisions)} if bars else {}


def _smoothness(report: Report) -> Figure:
    named = report.get("smoothness", {})
    keys = list(dict.fromkeys(key for values in named.values() for key in values))
    rows = [[_subject(name), *[_written(values.get(key)) for key in keys]] for name, values in named.items()]
    head = ["", *[joint_label(key) for key in keys]]
    return {"kind": "table", "head": head, "rows": rows, "caption": words.SMOOTHNESS} if rows else {}


def _subject(name: str) -> str:
    return "recorded demonstration" if name == "recorded" else f"all stages in {_label(name)}"


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


FIGURES: Mapping[str, tuple[str, Callable[[Report], Figure]]] = {
    "heatmap": ("What a precision costs at the actions, stage by stage", _heatmap),
    "speed": ("What it saves: bytes and milliseconds", _speed),
    "iterations": ("Does the error grow over the denoising iterations?", _iterations),
    "by_position": ("Where in the chunk the error lies", _positions),
    "steps": ("Fewer steps against fewer bits", _steps),
    "two_by_two": ("Do the stages' errors add up?", _two_by_two),
    "layers": ("Which layers are sensitive", _layers),
    "smoothness": ("How smooth the planned motion is", _smoothness),
}
