"""The look of the figures that stand still: one Plotly template in the colors of the page, and where the panels of a figure lie.

A color is written as the page's style sheet names it, `var(--ink)`: the page puts in what it is in light or in dark when it draws
(`page/js/shared/figure.js`), so that `page/shell.css` alone says how the page looks.
"""

import html
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import plotly.graph_objects as go

__all__ = [
    "PRECISION_COLORS",
    "STAGE_COLORS",
    "STAGE_SYMBOLS",
    "TEMPLATE",
    "Panel",
    "Plot",
    "axes_of",
    "color",
    "hovers",
    "make_plot",
    "plain_layout",
]

Json = dict[str, Any]


class Plot(TypedDict):
    """A figure as the page draws it: traces, and how they lie where there is room for panels side by side and where there is not."""

    said: str  # what is shown, in a sentence, for whoever does not see it
    data: list[Json]
    layout: Json
    narrow: Json


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes: its title, a line below the title, and what its axes have that the template does not say."""

    title: str
    about: str = ""
    x: Mapping[str, Any] = field(default_factory=dict)
    y: Mapping[str, Any] = field(default_factory=dict)
    shares_y: bool = False  # with the panel to its left, which has the labels

    def axes(self, *, first: bool, last: bool) -> tuple[Json, Json]:
        """Its axes where it lies: only the first column titles its y axis, only the last row its x axis."""
        x = {key: value for key, value in self.x.items() if key != "title" or last}
        y = {key: value for key, value in self.y.items() if key != "title" or first}
        return x, y if first or not self.shares_y else {**y, "showticklabels": False}


def color(name: str) -> str:
    """A color or font of the page by its name in `shell.css`."""
    return f"var(--{name})"


STAGE_COLORS: Mapping[str, str] = {"vision": color("joint-0"), "llm": color("joint-1"), "expert": color("joint-3"), "all": color("ink")}
STAGE_SYMBOLS: Mapping[str, str] = {"vision": "circle", "llm": "square", "expert": "diamond", "all": "x"}
PRECISION_COLORS: Mapping[str, str] = {  # by scheme
    "fp32": color("ink"),
    "fp16": color("soft"),
    "int8": color("joint-0"),
    "int8-static": color("joint-4"),
    "int8-smooth": color("joint-2"),
    "int8w": color("joint-5"),
    "int4": color("joint-1"),
    "int2": color("joint-3"),
    "mixed": color("accent"),
}

CLEAR = "rgba(0,0,0,0)"
AXIS: Mapping[str, Any] = {
    "gridcolor": color("line"),
    "linecolor": color("edge"),
    "zerolinecolor": color("edge"),
    "tickcolor": color("edge"),
    "tickfont": {"family": color("mono"), "size": 11, "color": color("soft")},
    "title": {"font": {"size": 12, "color": color("soft")}, "standoff": 8},
    "zeroline": False,
    "exponentformat": "none",
    "automargin": True,
}
TEMPLATE: Json = go.layout.Template(
    layout={
        "font": {"family": color("sans"), "size": 12, "color": color("soft")},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "xaxis": AXIS,
        "yaxis": AXIS,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": color("card"),
            "bordercolor": color("edge"),
            "align": "left",
            "font": {"family": color("sans"), "size": 12.5, "color": color("ink")},
        },
        "modebar": {"bgcolor": CLEAR, "color": color("soft"), "activecolor": color("accent")},
        "legend": {"orientation": "h", "font": {"size": 12, "color": color("ink")}},
        "showlegend": False,  # on the page the legend is a row of buttons above the figure; a saved picture carries Plotly's own
    }
).to_plotly_json()

MODE_BAR = 26  # px at the top that the mode bar has for itself
TITLE, LINE = 26, 16  # px of a panel's title, and of each line below it
TICKS, AXIS_TITLE = 26, 44  # px of an axis, without and with its title
COLUMN_GAP = 0.09  # of the width
LETTERS, LETTERS_BESIDE, LETTERS_NARROW = 110, 42, 44  # of a line below a panel's title


def axes_of(panel: int) -> dict[str, str]:
    """The names of a panel's axes, for its traces."""
    number = "" if panel == 0 else str(panel + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def hovers(sentences: Iterable[str]) -> Json:
    """What a trace says at each of its points, in a few short lines; a name from a stranger's checkpoint stays a name."""
    labels = ["<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(said, 44)) for said in sentences]
    return {"customdata": labels, "hovertemplate": "%{customdata}<extra></extra>"}


def make_plot(said: str, traces: Sequence[Any], panels: Sequence[Panel], height: int, more: Mapping[str, Any] | None = None) -> Plot:
    """Panels of `height` px each, two beside each other, and below each other where it is narrow; `more` goes into both layouts."""
    beside = min(2, len(panels))
    return {
        "said": said,
        "data": [trace.to_plotly_json() for trace in traces],
        "layout": _arranged(panels, height, beside, LETTERS if beside == 1 else LETTERS_BESIDE, more or {}),
        "narrow": _arranged(panels, height, 1, LETTERS_NARROW, more or {}),
    }


def plain_layout(height: int, above: int, **more: Any) -> Json:
    """A layout without panels, with `above` px over its `height`."""
    layout: Json = go.Layout(height=height + above, margin={"l": 0, "r": 0, "t": above, "b": 0}, **more).to_plotly_json()
    return layout


def _arranged(panels: Sequence[Panel], height: int, columns: int, letters: int, more: Mapping[str, Any]) -> Json:
    """Rows of `columns` panels: titles above, axes below. `annotations` of `more` stay beside the titles."""
    rows = -(-len(panels) // columns)
    abouts = [textwrap.wrap(panel.about, letters) for panel in panels]
    on_top = any(panel.x.get("side") == "top" for panel in panels)
    above = AXIS_TITLE if on_top else TITLE + LINE * max(len(lines) for lines in abouts)
    row_height = height + above + TICKS
    inner = rows * row_height - above - TICKS
    axes: Json = {}
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        wide = (1 - COLUMN_GAP * (columns - 1)) / columns
        left, top = column * (wide + COLUMN_GAP), 1 - row * row_height / inner
        names = axes_of(i)
        x, y = panel.axes(first=column == 0, last=i + columns >= len(panels))
        axes[f"xaxis{names['xaxis'][1:]}"] = {**x, "domain": [left, left + wide], "anchor": names["yaxis"]}
        axes[f"yaxis{names['yaxis'][1:]}"] = {**y, "domain": [max(top - height / inner, 0), top], "anchor": names["xaxis"]}
    margin = {"l": 8, "r": 8, "t": MODE_BAR + above, "b": 8 if on_top else AXIS_TITLE}
    titles = [note for i, panel in enumerate(panels) for note in _titles(i, panel.title, abouts[i], above)]
    notes = [*titles, *more.get("annotations", ())]
    whole = {**more, **axes, "margin": margin, "height": inner + margin["t"] + margin["b"], "annotations": notes}
    layout: Json = go.Layout(**whole).to_plotly_json()
    return layout


def _titles(panel: int, title: str, about: Sequence[str], above: float) -> Iterator[Json]:
    """Both begin at the left edge of the panel; what is below the title hangs from it."""
    refs = {f"{axis[0]}ref": f"{name} domain" for axis, name in axes_of(panel).items()}
    place = {**refs, "x": 0, "y": 1, "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False}
    if title:
        text = f"<b>{html.escape(title, quote=False)}</b>"
        yield {**place, "yshift": above, "text": text, "font": {"size": 13, "color": color("ink")}}
    if about:
        yield {**place, "yshift": above - 18, "text": "<br>".join(html.escape(line, quote=False) for line in about)}
