"""The figures of the Trap tab from a report: what is drawn, its reading, what others published, its numbers as a table.

Pure data in, plain JSON out. A figure whose numbers the report does not have is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NotRequired, TypedDict

import plotly.graph_objects as go

from vla_demo.core.labels import joint_label, precision_label
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

    views: list[View]
    heatmap: NotRequired[HeatMap]
    sheet: NotRequired[Sheet]


class Figure(Drawn):
    name: str
    title: str
    caption: str
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
    caption = words.CAPTIONS[name](report)
    return {"name": name, "title": title, "caption": caption, "published": published, "table": TABLES[name](report), **drawn}


def _view(report: SensitivityReport, name: str, plot: Plot, precision: str | None = None) -> View:
    """With what is said of the figure; of a view of one precision, what is said of that one or of none."""
    said = [finding for finding in report.findings if finding.figure == name]
    readings = [finding.text for finding in said if precision is None or finding.precision in (None, precision)]
    return {"label": precision_label(precision) if precision else "", "readings": readings, "plot": plot}


def _plotted(name: str, plot: Callable[[SensitivityReport], Plot | None]) -> Callable[[SensitivityReport], Drawn | None]:
    def draw(report: SensitivityReport) -> Drawn | None:
        drawn = plot(report)
        return {"views": [_view(report, name, drawn)]} if drawn else None

    return draw


def _heatmap(report: SensitivityReport) -> Drawn:
    drawn = heatmap(report)
    return {"views": [_view(report, "heatmap", heatmap_picture(drawn))], "heatmap": drawn}


def _layers(report: SensitivityReport) -> Drawn | None:
    views = [_layers_in(report, name) for name in in_order(layer.precision for layer in report.layers)]
    return {"views": views} if views else None


def _layers_in(report: SensitivityReport, precision: str) -> View:
    count = sum(layer.precision == precision for layer in report.layers)
    view = _view(report, "layers", bars.layers(report, precision, FIRST_LAYERS), precision)
    if count > FIRST_LAYERS:
        show, hide = f"Show all {count} layers", f"Show the worst {FIRST_LAYERS} only"
        view["more"] = {"plot": bars.layers(report, precision), "show": show, "hide": hide}
    return view


def _smoothness(report: SensitivityReport) -> Drawn | None:
    head = ["", *[joint_label(key) for key in SMOOTHNESS]]
    rows = [[_subject(name), *[_written(getattr(found, key)) for key in SMOOTHNESS]] for name, found in report.smoothness.items()]
    picture = _sheet_picture(head, rows)
    return {"views": [_view(report, "smoothness", picture)], "sheet": {"head": head, "rows": rows}} if rows else None


def _subject(name: str) -> str:
    return "recorded demonstration" if name == "recorded" else f"all stages in {precision_label(name)}"


def _written(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _sheet_picture(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Plot:
    font = {"family": color("mono"), "size": 12, "color": color("ink")}
    look = {"align": ["left", "right"], "height": 26, "fill": {"color": color("card")}, "line": {"color": color("line")}, "font": font}
    columns = [list(column) for column in zip(*rows, strict=True)]
    trace = go.Table(header={**look, "values": list(head)}, cells={**look, "values": columns})
    whole = plain_layout(26 * (len(rows) + 1) + 8, 14)
    return {"said": "Smoothness of the planned motion", "data": [trace.to_plotly_json()], "layout": whole, "narrow": whole}


FIGURES: Mapping[str, tuple[str, Callable[[SensitivityReport], Drawn | None]]] = {
    "heatmap": ("What a precision costs at the actions, stage by stage", _heatmap),
    "speed": ("What it saves: bytes and milliseconds", _plotted("speed", savings)),
    "iterations": ("Does the error grow over the denoising iterations?", _plotted("iterations", lines.iterations)),
    "by_position": ("Where in the chunk the error lies", _plotted("by_position", lines.positions)),
    "steps": ("Fewer steps against fewer bits", _plotted("steps", lines.steps)),
    "two_by_two": ("Do the stages' errors add up?", _plotted("two_by_two", bars.two_by_two)),
    "layers": ("Which layers are sensitive", _layers),
    "smoothness": ("How smooth the planned motion is", _smoothness),
}
