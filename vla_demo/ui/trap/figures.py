"""The figures of the Trap tab from a report: what is drawn, its reading, what others published, its numbers as a table.

Pure data in, plain JSON out. A figure whose numbers the report does not have is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NotRequired, TypedDict

import plotly.graph_objects as go

from vla_demo.core.labels import joint_label, precision_label, stage_label
from vla_demo.evaluation.claims.published import compare
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.shared.plot_theme import Plot, color, plain_layout
from vla_demo.ui.trap import bars, lines, words
from vla_demo.ui.trap.heatmap import HeatMap, heatmap, heatmap_picture
from vla_demo.ui.trap.names import in_order
from vla_demo.ui.trap.savings import savings
from vla_demo.ui.trap.tables import SMOOTHNESS, TABLES, Table

__all__ = ["Claim", "Figure", "Sheet", "View", "figures"]

FIRST_LAYERS = 16


class More(TypedDict):
    """All of what a view shows the first of, and what the button says that shows or hides the rest."""

    plot: Plot
    show: str
    hide: str


class View(TypedDict):
    """One of the pictures of a figure: the layers have one a precision."""

    label: str
    readings: list[str]
    plot: Plot
    more: NotRequired[More]


class Sheet(TypedDict):
    """A figure that is a table of words and numbers as they are written."""

    head: list[str]
    rows: list[list[str]]


class Claim(TypedDict):
    says: str
    source: str
    link: str
    verdict: str
    here: str


class Drawn(TypedDict):
    """What is drawn, and taken along as a picture; a heat map and a sheet are shown as tables instead."""

    caption: str
    views: list[View]
    heatmap: NotRequired[HeatMap]
    sheet: NotRequired[Sheet]


class Figure(Drawn):
    name: str
    title: str
    published: list[Claim]
    table: Table


def figures(report: SensitivityReport) -> list[Figure]:
    """In the order of the page."""
    drawn = [(name, title, draw(report)) for name, (title, draw) in FIGURES.items()]
    return [_figure(report, name, title, found) for name, title, found in drawn if found]


def _figure(report: SensitivityReport, name: str, title: str, drawn: Drawn) -> Figure:
    published: list[Claim] = [
        {"says": claim.says, "source": claim.source, "link": claim.link, "verdict": found.verdict, "here": found.here}
        for claim, found in compare(report, name)
    ]
    return {"name": name, "title": title, "published": published, "table": TABLES[name](report), **drawn}


def _readings(report: SensitivityReport, name: str) -> list[str]:
    return [finding.text for finding in report.findings if finding.figure == name]


def _one(report: SensitivityReport, name: str, plot: Plot | None, caption: str) -> Drawn | None:
    return {"caption": caption, "views": [{"label": "", "readings": _readings(report, name), "plot": plot}]} if plot else None


def _heatmap(report: SensitivityReport) -> Drawn:
    drawn = heatmap(report)
    caption = f"{words.heatmap(report.unit)} {words.CELL_HINT}"
    views: list[View] = [{"label": "", "readings": _readings(report, "heatmap"), "plot": heatmap_picture(drawn)}]
    return {"caption": caption, "views": views, "heatmap": drawn}


def _speed(report: SensitivityReport) -> Drawn | None:
    own = {stage_label(role).lower(): cost for role, cost in report.fp32.stages.items()}
    return _one(report, "speed", savings(report), words.speed(own))


def _iterations(report: SensitivityReport) -> Drawn | None:
    return _one(report, "iterations", lines.iterations(report), words.ITERATIONS)


def _positions(report: SensitivityReport) -> Drawn | None:
    return _one(report, "by_position", lines.positions(report), words.POSITIONS)


def _steps(report: SensitivityReport) -> Drawn | None:
    return _one(report, "steps", lines.steps(report), words.STEPS)


def _two_by_two(report: SensitivityReport) -> Drawn | None:
    first = "prefix" if report.per_iteration else "vision"
    return _one(report, "two_by_two", bars.two_by_two(report), words.two_by_two(first))


def _layers(report: SensitivityReport) -> Drawn | None:
    names = in_order(layer.precision for layer in report.layers)
    views = [_layers_in(report, name) for name in names]
    return {"caption": words.LAYERS, "views": views} if views else None


def _layers_in(report: SensitivityReport, name: str) -> View:
    """What is said above it is about this precision, or about none."""
    readings = [finding.text for finding in report.findings if finding.figure == "layers" and finding.precision in (None, name)]
    count = sum(layer.precision == name for layer in report.layers)
    view: View = {"label": precision_label(name), "readings": readings, "plot": bars.layers(report, name, FIRST_LAYERS)}
    if count <= FIRST_LAYERS:
        return view
    show, hide = f"Show all {count} layers", f"Show the worst {FIRST_LAYERS} only"
    return {**view, "more": {"plot": bars.layers(report, name), "show": show, "hide": hide}}


def _smoothness(report: SensitivityReport) -> Drawn | None:
    head = ["", *[joint_label(key) for key in SMOOTHNESS]]
    rows = [[_subject(name), *[_written(getattr(found, key)) for key in SMOOTHNESS]] for name, found in report.smoothness.items()]
    drawn = _one(report, "smoothness", _sheet_picture(head, rows), words.SMOOTHNESS) if rows else None
    return {**drawn, "sheet": {"head": head, "rows": rows}} if drawn else None


def _subject(name: str) -> str:
    return "recorded demonstration" if name == "recorded" else f"all stages in {precision_label(name)}"


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _sheet_picture(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Plot:
    look = {"align": ["left", "right"], "height": 26, "fill": {"color": color("card")}, "line": {"color": color("line")}}
    font = {"family": color("mono"), "size": 12, "color": color("ink")}
    cells = {**look, "font": font, "values": [list(column) for column in zip(*rows, strict=True)]}
    trace = go.Table(header={**look, "font": font, "values": list(head)}, cells=cells)
    whole = plain_layout(26 * (len(rows) + 1) + 8, 14)
    return {"said": "Smoothness of the planned motion", "data": [trace.to_plotly_json()], "layout": whole, "narrow": whole}


FIGURES: Mapping[str, tuple[str, Callable[[SensitivityReport], Drawn | None]]] = {
    "heatmap": ("What a precision costs at the actions, stage by stage", _heatmap),
    "speed": ("What it saves: bytes and milliseconds", _speed),
    "iterations": ("Does the error grow over the denoising iterations?", _iterations),
    "by_position": ("Where in the chunk the error lies", _positions),
    "steps": ("Fewer steps against fewer bits", _steps),
    "two_by_two": ("Do the stages' errors add up?", _two_by_two),
    "layers": ("Which layers are sensitive", _layers),
    "smoothness": ("How smooth the planned motion is", _smoothness),
}
