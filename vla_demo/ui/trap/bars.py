"""The bars of the Trap tab: halves of a policy beside the whole, and layers. They lie, so that their names can be read."""

import html
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vla_demo.core.labels import STAGES, precision_label, stage_label
from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import LayerRow, SensitivityReport, TwoByTwo
from vla_demo.ui.shared.plot_theme import STAGE_COLORS, Panel, Plot, axes_of, color, hovers, make_plot
from vla_demo.ui.trap.names import short, with_interval
from vla_demo.ui.trap.words import first_half, together

__all__ = ["layers", "two_by_two"]

Json = dict[str, Any]

ERROR = "RMS error (standard deviations)"
BAR, NARROW_BAR = 22, 36  # px of a layer; where it is narrow, its name stands above its bar
NAME_ABOVE: Json = {
    "xref": "paper",
    "x": 0,
    "xanchor": "left",
    "yref": "y",
    "yshift": 15,
    "showarrow": False,
    "font": {"family": color("mono"), "size": 11},
}


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    color: str
    error: Interval
    said: str
    number_inside: bool = False  # something else is drawn at its end


def two_by_two(report: SensitivityReport) -> Plot | None:
    first = first_half(report)
    panels, traces, notes = [], [], []
    for i, pair in enumerate(report.two_by_two):
        total = pair.prefix.mean + pair.expert.mean
        bars = list(_halves(pair, first, report.n_observations))
        most = max(total, *(bar.error.high for bar in bars))
        x = {"title": ERROR, "range": [0, most * 1.2 or 1], "nticks": 5, "showticklabels": most > 0}
        panels.append(Panel(precision_label(pair.precision), "", x, {"autorange": "reversed", "ticklabelstandoff": 6}))
        traces += [_bars(bars, "", axes_of(i)), _sum(total, report.n_observations, axes_of(i)), *_numbers(bars, axes_of(i))]
        refs = {f"{axis[0]}ref": f"{name} domain" for axis, name in axes_of(i).items()}
        aside = {"text": together(pair.ratio), "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom", "yshift": 4, "showarrow": False}
        notes.append({**refs, **aside})
    said = f"Bars of the error of only the {first}, of only the expert and of both in each precision, with the sum of the two"
    return make_plot(said, traces, panels, 74, {"annotations": notes}) if panels else None


def _halves(pair: TwoByTwo, first: str, n: int) -> Iterator[Bar]:
    """The two halves, and both, at whose end the mark of their sum may lie."""
    where = f"in {precision_label(pair.precision)}"
    for label, role, found in ((first, "vision", pair.prefix), ("expert", "expert", pair.expert), ("both", "all", pair.both)):
        said = f"{label.capitalize()} {where}: {with_interval(found)}, {n} observations"
        yield Bar(label, color("soft") if label == "both" else STAGE_COLORS[role], found, said, label == "both" and found.mean > 0)


def _sum(total: float, n: int, axes: Mapping[str, str]) -> go.Scatter:
    return go.Scatter(
        **axes,
        mode="markers",
        x=[total],
        y=["both"],
        cliponaxis=False,
        showlegend=False,
        marker={"symbol": "diamond", "size": 11, "color": color("paper"), "line": {"width": 1.6, "color": color("ink")}},
        **hovers([f"Sum of the two sizes: {short(total)}, {n} observations"]),
    )


def layers(report: SensitivityReport, precision: str, first: int | None = None) -> Plot:
    """The layers that were alone in a precision, or the `first` few, those that cost most first."""
    ranked = sorted((layer for layer in report.layers if layer.precision == precision), key=lambda layer: -layer.action_error.mean)
    times = Counter(layer.layer for layer in ranked)
    shown = ranked[:first]
    bars = [(layer.stage, _layer(layer, times[layer.layer] > 1)) for layer in shown]
    order = [bar.label for _, bar in bars]
    traces = [_bars([bar for role, bar in bars if role == stage], stage) for stage in STAGES if any(role == stage for role, _ in bars)]
    traces += _numbers([bar for _, bar in bars])
    most = max(bar.error.high for _, bar in bars)
    x = {"title": ERROR, "side": "top", "nticks": 6}
    y = {"categoryorder": "array", "categoryarray": order, "range": [len(order) - 0.5, -0.5], "ticklabelstandoff": 6}
    wide = Panel("", "", {**x, "range": [0, most * 1.12]}, y)
    narrow = Panel("", "", {**x, "range": [0, most * 1.25]}, {**y, "range": [len(order) - 0.5, -0.9], "showticklabels": False})
    said = f"Bars of the error at the actions of {len(shown)} layers, each alone in {precision_label(precision)}, the worst first"
    names = [{**NAME_ABOVE, "y": label, "text": label} for label in order]
    drawn = make_plot(said, traces, [wide], len(order) * BAR, {"barmode": "overlay", "bargap": 0.32})
    thin = make_plot(said, [], [narrow], len(order) * NARROW_BAR, {"barmode": "overlay", "bargap": 0.68, "annotations": names})
    return {**drawn, "narrow": thin["narrow"]}


def _layer(layer: LayerRow, doubled: bool) -> Bar:
    """A layer's name that two stages have carries its stage."""
    label = f"{layer.stage} {layer.layer}" if doubled else layer.layer
    where = f"{stage_label(layer.stage)}, {layer.layer} in {precision_label(layer.precision)}"
    said = f"{where}: {with_interval(layer.action_error)} (95 % interval)"
    return Bar(html.escape(label, quote=False), STAGE_COLORS.get(layer.stage, color("ink")), layer.action_error, said)


def _bars(bars: Sequence[Bar], role: str, axes: Mapping[str, str] | None = None) -> go.Bar:
    """With whiskers over their intervals."""
    return go.Bar(
        **(axes or axes_of(0)),
        orientation="h",
        name=stage_label(role),
        legendgroup=role,
        showlegend=bool(role),
        x=[bar.error.mean for bar in bars],
        y=[bar.label for bar in bars],
        marker={"color": [bar.color for bar in bars], "opacity": 0.85, "cornerradius": 2},
        error_x={
            "array": [bar.error.high - bar.error.mean for bar in bars],
            "arrayminus": [bar.error.mean - bar.error.low for bar in bars],
            "color": color("ink"),
            "thickness": 1.2,
            "width": 3,
        },
        **hovers(bar.said for bar in bars),
    )


def _numbers(bars: Sequence[Bar], axes: Mapping[str, str] | None = None) -> Iterator[go.Scatter]:
    """Each bar's number behind its whisker, or at its beginning."""
    for inside in (False, True):
        chosen = [bar for bar in bars if bar.number_inside == inside]
        if chosen:
            yield go.Scatter(
                **(axes or axes_of(0)),
                mode="text",
                x=[0 if inside else max(bar.error.high, bar.error.mean) for bar in chosen],
                y=[bar.label for bar in chosen],
                text=[f"  {short(bar.error.mean)}" for bar in chosen],
                textposition="middle right",
                textfont={"family": color("mono"), "size": 11, "color": color("paper" if inside else "ink")},
                cliponaxis=False,
                hoverinfo="skip",
                showlegend=False,
            )
