"""The figures of the Trap tab from a trap report's JSON: what is drawn, its reading, what others published, its numbers as a table.

Pure data in, plain JSON out; how a figure looks is the page's business. A figure whose numbers the report does not have is left out.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vla_demo.core.formats import megabytes
from vla_demo.core.labels import STAGES, joint_label, precision_label, stage_label
from vla_demo.evaluation.claims.published import compare
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.trap import words
from vla_demo.ui.trap.lines import iterations, positions, steps
from vla_demo.ui.trap.names import in_order, row_of
from vla_demo.ui.trap.tables import TABLES

__all__ = ["figures"]

Figure = dict[str, Any]
Report = Mapping[str, Any]


def figures(report: SensitivityReport) -> list[Figure]:
    """In the order of the page."""
    document = report.as_json()
    drawn = [(name, title, draw(document)) for name, (title, draw) in FIGURES.items()]
    return [_figure(report, document, name, title, data) for name, title, data in drawn if data]


def _figure(report: SensitivityReport, document: Report, name: str, title: str, data: Figure) -> Figure:
    """`kind` says how it is drawn, `caption` what is plotted."""
    return {
        "name": name,
        "title": title,
        "readings": [finding.text for finding in report.findings if finding.figure == name],
        "published": [
            {"says": claim.says, "source": claim.source, "link": claim.link, "verdict": found.verdict, "here": found.here}
            for claim, found in compare(report, name)
        ],
        "table": TABLES[name](document),
        **data,
    }


def _heatmap(report: Report) -> Figure:
    cells = {(cell["precision"], cell["stage"]): cell for cell in report["sensitivity"]}
    roles = [role for role in STAGES if any(role == cell["stage"] for cell in report["sensitivity"])]
    rows = in_order(cell["precision"] for cell in report["sensitivity"])
    return {
        "kind": "heatmap",
        "columns": [{"role": role, "label": stage_label(role)} for role in roles],
        "rows": [row_of(precision) for precision in rows],
        "cells": [[_cell(cells.get((precision, role))) for role in roles] for precision in rows],
        "caption": words.heatmap(report["unit"]),
        "hint": words.CELL_HINT,
    }


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
    return f"{stage_label(cell['stage'])} in {precision_label(cell['precision'])}"


def _speed(report: Report) -> Figure:
    alone = [cell for cell in report["sensitivity"] if cell["stage"] != "all" and cell["problem"] is None and cell["fp32_ms"]]
    rows = in_order(cell["precision"] for cell in alone)

    def marks(of: str) -> list[Figure]:
        return [_mark(cell, of, rows.index(cell["precision"])) for cell in alone]

    if not alone:
        return {}
    return {
        "kind": "dots",
        "rows": [row_of(precision) for precision in rows],
        "roles": [{"role": role, "label": stage_label(role)} for role in STAGES if role in {cell["stage"] for cell in alone}],
        "panels": [
            {"title": "Size, against FP32", "left": "smaller", "right": "larger", "marks": marks("bytes")},
            {"title": "Time, against FP32", "left": "faster", "right": "slower here", "marks": marks("ms")},
        ],
        "caption": words.speed({stage_label(role).lower(): cost for role, cost in report["fp32"]["stages"].items()}),
    }


def _mark(cell: Mapping[str, Any], of: str, row: int) -> Figure:
    value, reference = cell[of], cell[f"fp32_{of}"]
    written = f"{megabytes(value, 2)}, FP32 {megabytes(reference, 2)}" if of == "bytes" else f"{value:.1f} ms, FP32 {reference:.1f} ms"
    said = f"{_subject_of(cell)}: {written}"
    return {"row": row, "role": cell["stage"], "ratio": value / reference, "said": said}


def _two_by_two(report: Report) -> Figure:
    first = "prefix" if report["per_iteration"] else "vision"
    groups = []
    for pair in report["two_by_two"]:
        bars = [{"label": label, "part": part, **pair[part]} for part, label in (("prefix", first), ("expert", "expert"), ("both", "both"))]
        total = pair["prefix"]["mean"] + pair["expert"]["mean"]
        groups.append({**row_of(pair["precision"]), "bars": bars, "sum": total, "aside": words.together(pair["ratio"])})
    return {"kind": "groups", "groups": groups, "caption": words.two_by_two(first)} if groups else {}


def _layers(report: Report) -> Figure:
    layers = sorted(report["layers"], key=lambda layer: -float(layer["action_error"]["mean"]))
    names = in_order(layer["precision"] for layer in layers)
    roles = [{"role": role, "label": stage_label(role)} for role in STAGES if role in {layer["stage"] for layer in layers}]
    groups = [
        {"label": precision_label(name), "bars": _bars([layer for layer in layers if layer["precision"] == name]), "readings": said}
        for name, said in _readings_of(report, names).items()
    ]
    return {"kind": "bars", "groups": groups, "roles": roles, "caption": words.LAYERS} if groups else {}


def _readings_of(report: Report, names: Sequence[str]) -> Mapping[str, list[str]]:
    """precision -> what is said of its layers; a reading that is about no precision is said of each."""
    findings = [finding for finding in report["findings"] if finding["figure"] == "layers"]
    return {name: [finding["text"] for finding in findings if finding["precision"] in (None, name)] for name in names}


def _bars(layers: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """A layer's name that two stages have carries its stage."""
    times = Counter(layer["layer"] for layer in layers)
    return [_bar(layer, f"{layer['stage']} {layer['layer']}" if times[layer["layer"]] > 1 else layer["layer"]) for layer in layers]


def _bar(layer: Mapping[str, Any], label: str) -> Figure:
    said = f"{stage_label(layer['stage'])}, {layer['layer']} in {precision_label(layer['precision'])}"
    return {"label": label, "role": layer["stage"], "said": said, **layer["action_error"]}


def _smoothness(report: Report) -> Figure:
    named = report.get("smoothness", {})
    keys = list(dict.fromkeys(key for values in named.values() for key in values))
    rows = [[_subject(name), *[_written(values.get(key)) for key in keys]] for name, values in named.items()]
    head = ["", *[joint_label(key) for key in keys]]
    return {"kind": "table", "head": head, "rows": rows, "caption": words.SMOOTHNESS} if rows else {}


def _subject(name: str) -> str:
    return "recorded demonstration" if name == "recorded" else f"all stages in {precision_label(name)}"


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


FIGURES: Mapping[str, tuple[str, Callable[[Report], Figure]]] = {
    "heatmap": ("What a precision costs at the actions, stage by stage", _heatmap),
    "speed": ("What it saves: bytes and milliseconds", _speed),
    "iterations": ("Does the error grow over the denoising iterations?", iterations),
    "by_position": ("Where in the chunk the error lies", positions),
    "steps": ("Fewer steps against fewer bits", steps),
    "two_by_two": ("Do the stages' errors add up?", _two_by_two),
    "layers": ("Which layers are sensitive", _layers),
    "smoothness": ("How smooth the planned motion is", _smoothness),
}
