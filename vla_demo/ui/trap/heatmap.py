"""The heat map of the Trap tab: stage by precision, as a table the page sets, and as the picture that is taken along."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import plotly.graph_objects as go

from vla_demo.core.labels import STAGES, precision_label, stage_label
from vla_demo.evaluation.sensitivity import SensitivityReport, SensitivityRow
from vla_demo.ui.shared.plot_theme import Plot, color, plain_layout
from vla_demo.ui.trap.names import in_order, operands_of, short
from vla_demo.ui.trap.scale import log_ticks, place, worth_showing

__all__ = ["Cell", "HeatMap", "Tick", "heatmap", "heatmap_picture"]

MARKS = {"worse": "▲", "better": "▼"}
HEAD, ROW = 44, 46  # px of the picture


class Cell(TypedDict):
    """A variant, or why it could not be measured."""

    said: str
    variant: NotRequired[str]
    number: NotRequired[str]  # with its mark
    interval: NotRequired[str]
    n: NotRequired[int]
    share: NotRequired[float]  # of the way from the least error to the largest, on a logarithmic scale


class Row(TypedDict):
    label: str
    operands: str
    cells: list[Cell | None]  # one a column; None where nothing was asked
    refused: str | None  # why no stage could have the precision


class Tick(TypedDict):
    at: float
    label: str


class HeatMap(TypedDict):
    columns: list[str]
    rows: list[Row]
    key: list[Tick]  # round numbers on the scale of colors


def heatmap(report: SensitivityReport) -> HeatMap:
    found = {(row.precision, row.stage): row for row in report.sensitivity}
    roles = [role for role in STAGES if any(role == row.stage for row in report.sensitivity)]
    shown = worth_showing([row.error.mean for row in report.sensitivity if row.error])
    scale = (min(shown), max(shown)) if shown else (1.0, 1.0)
    names = in_order(row.precision for row in report.sensitivity)
    return {
        "columns": [stage_label(role) for role in roles],
        "rows": [_row(name, [found.get((name, role)) for role in roles], scale) for name in names],
        "key": [{"at": place(tick, *scale), "label": f"{tick:g}"} for tick in log_ticks(*scale)],
    }


def _row(name: str, rows: Sequence[SensitivityRow | None], scale: tuple[float, float]) -> Row:
    refused = next((row.problem for row in rows if row and row.problem), "not measured")
    measured = any(row is not None and row.error is not None for row in rows)
    return {
        "label": precision_label(name),
        "operands": operands_of(name),
        "cells": [_cell(row, scale) for row in rows],
        "refused": None if measured else refused,
    }


def _cell(row: SensitivityRow | None, scale: tuple[float, float]) -> Cell | None:
    if row is None:
        return None
    subject = f"{stage_label(row.stage)} in {precision_label(row.precision)}"
    if row.error is None:
        return {"said": f"{subject}: {row.problem}"}
    error = row.error
    said = f"{subject}: error {error.mean:.2g}, {error.low:.2g} to {error.high:.2g}, {row.n_observations} observations"
    return {
        "said": f"{said}; against the recorded actions: {row.verdict}. Open in Replay",
        "variant": row.variant,
        "number": " ".join([short(error.mean), *([MARKS[row.verdict]] if row.verdict in MARKS else [])]),
        "interval": f"{short(error.low)}–{short(error.high)}" if error.high > error.low else "",
        "n": row.n_observations,
        "share": round(place(error.mean, *scale), 4),
    }


def heatmap_picture(drawn: HeatMap) -> Plot:
    cells = [row["cells"] for row in drawn["rows"]]
    columns = list(range(len(drawn["columns"])))
    trace = go.Heatmap(
        x=columns,
        y=list(range(len(cells))),
        z=[[cell.get("share") if cell else None for cell in row] for row in cells],
        text=[[_written(cell) for cell in row] for row in cells],
        texttemplate="%{text}",
        textfont={"family": color("mono"), "size": 12},
        colorscale=[[i / 2, color(f"heat-{i}")] for i in range(3)],
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
    )
    names = [f"<b>{row['label']}</b>" for row in drawn["rows"]]
    font = {"family": color("sans"), "size": 13, "color": color("ink")}
    x = {"tickvals": columns, "ticktext": [f"<b>{name}</b>" for name in drawn["columns"]], "tickfont": font, "side": "top"}
    y = {"tickvals": list(range(len(names))), "ticktext": names, "tickfont": font, "autorange": "reversed"}
    whole = plain_layout(ROW * len(names), HEAD, xaxis={**x, "showgrid": False}, yaxis={**y, "showgrid": False})
    return {"said": "Action error by stage and precision", "data": [trace.to_plotly_json()], "layout": whole, "narrow": whole}


def _written(cell: Cell | None) -> str:
    if cell is None or "n" not in cell:
        return "–"
    return f"<b>{cell['number']}</b><br>{' · '.join([*([cell['interval']] if cell['interval'] else []), f'n {cell["n"]}'])}"
