"""What a precision saves, in the Trap tab: bytes and milliseconds of each stage as multiples of FP32's."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vla_demo.core.formats import megabytes
from vla_demo.core.labels import STAGES, precision_label, stage_label
from vla_demo.evaluation.sensitivity import ALL_STAGES, SensitivityReport, SensitivityRow
from vla_demo.ui.shared.plot_theme import STAGE_COLORS, STAGE_SYMBOLS, Panel, Plot, axes_of, color, hovers, make_plot
from vla_demo.ui.trap.names import in_order

__all__ = ["savings"]

Json = dict[str, Any]

ROW = 32  # px of a precision
FACTORS = [2.0**e for e in range(-5, 5)]
DODGE: Mapping[str, float] = {"vision": -0.29, "llm": 0, "expert": 0.29}  # rows; the marks of the stages lie beside each other


@dataclass(frozen=True, slots=True)
class Saving:
    """What a precision may save: of a stage, and of the same stage in FP32."""

    title: str
    less: str
    more: str
    of: Callable[[SensitivityRow], tuple[float | None, float | None]]
    written: Callable[[float], str]
    how: str = ""

    def ratio(self, row: SensitivityRow) -> float:
        own, fp32 = self.of(row)
        return (own or 0) / (fp32 or 1)

    def said(self, row: SensitivityRow) -> str:
        own, fp32 = self.of(row)
        return f"{self.written(own or 0)}, FP32 {self.written(fp32 or 0)}{self.how}"


SIZE = Saving("Size, against FP32", "← smaller", "larger →", lambda row: (row.bytes, row.fp32_bytes), lambda size: megabytes(size, 2))
TIME = Saving(
    "Time, against FP32",
    "← faster",
    "slower here →",
    lambda row: (row.ms, row.fp32_ms),
    lambda ms: f"{ms:.1f} ms",
    ", medians of a dozen chunks",
)


def savings(report: SensitivityReport) -> Plot | None:
    alone = [row for row in report.sensitivity if row.stage != ALL_STAGES and row.problem is None and row.ms and row.fp32_ms]
    names = in_order(row.precision for row in alone)
    y = {
        "tickvals": list(range(len(names))),
        "ticktext": [f"<b>{precision_label(name)}</b>" for name in names],
        "tickfont": {"family": color("sans"), "size": 12.5, "color": color("ink")},
        "range": [len(names) - 0.4, -1.1],
    }
    panels: list[Panel] = []
    traces: list[go.Scatter] = []
    more: dict[str, list[Json]] = {"shapes": [], "annotations": []}
    for i, saved in enumerate((SIZE, TIME) if alone else ()):
        ratios = [saved.ratio(row) for row in alone]
        low, high = min(*ratios, 0.5) / 1.12, max(*ratios, 1.25) * 1.12
        panels.append(Panel(saved.title, "", _ratio_axis(low, high), y, shares_y=i > 0))
        traces += [_marks(rows, saved, names, i) for role in STAGES if (rows := [row for row in alone if row.stage == role])]
        more["shapes"] += _slower(i, high)
        more["annotations"] += _sides(i, saved.less, saved.more if high > 2 else "")
    said = "Marks of the bytes and milliseconds of each stage in each precision, as multiples of FP32's"
    return make_plot(said, traces, panels, len(names) * ROW + 18, more) if panels else None


def _ratio_axis(low: float, high: float) -> Json:
    ticks = [factor for factor in FACTORS if low <= factor <= high]
    return {
        "title": "times FP32's",
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [f"1/{1 / f:g}×" if f < 1 else f"{f:g}×" for f in ticks],
    }


def _marks(rows: Sequence[SensitivityRow], saved: Saving, names: Sequence[str], panel: int) -> go.Scatter:
    """Of one stage."""
    role = rows[0].stage
    return go.Scatter(
        **axes_of(panel),
        name=stage_label(role),
        legendgroup=role,
        showlegend=panel == 0,
        mode="markers",
        x=[saved.ratio(row) for row in rows],
        y=[names.index(row.precision) + DODGE.get(role, 0) for row in rows],
        marker={
            "color": STAGE_COLORS.get(role),
            "symbol": STAGE_SYMBOLS.get(role),
            "size": 10,
            "line": {"width": 1, "color": color("paper")},
        },
        **hovers(f"{stage_label(role)} in {precision_label(row.precision)}: {saved.said(row)}" for row in rows),
    )


def _slower(panel: int, high: float) -> Iterator[Json]:
    """The side of FP32 where nothing is saved."""
    refs = {"xref": axes_of(panel)["xaxis"], "yref": f"{axes_of(panel)['yaxis']} domain", "layer": "below"}
    yield {**refs, "type": "rect", "x0": 1, "x1": high, "y0": 0, "y1": 1, "fillcolor": color("warn"), "opacity": 0.08, "line": {"width": 0}}
    yield {**refs, "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "line": {"color": color("soft"), "width": 1.4}}


def _sides(panel: int, left: str, right: str) -> Iterator[Json]:
    refs = {"xref": axes_of(panel)["xaxis"], "yref": f"{axes_of(panel)['yaxis']} domain", "x": 0, "y": 1}  # x: a logarithm
    for text, anchor, shift in ((left, "right", -4), (right, "left", 4)):
        yield {**refs, "text": text, "xanchor": anchor, "xshift": shift, "yanchor": "top", "showarrow": False, "font": {"size": 11}}
