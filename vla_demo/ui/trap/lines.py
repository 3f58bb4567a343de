"""The line figures of the Trap tab: error over denoising iterations, numbers of steps, positions in a chunk."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from vla_demo.core.formats import count
from vla_demo.core.labels import precision_label
from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import SensitivityReport, StepRow
from vla_demo.ui.shared.plot_theme import PRECISION_COLORS, Panel, Plot, axes_of, color, hovers, make_plot
from vla_demo.ui.trap.names import in_order, scheme_of, short, with_interval
from vla_demo.ui.trap.scale import worth_showing

__all__ = ["iterations", "positions", "steps"]

HEIGHT = 224  # px of a panel
ERROR = "RMS error (standard deviations)"
DASHES = ("solid", "dot", "dashdot", "longdash")  # of precisions that differ in an option only
MANY = 24  # points of a line: more need no marks


@dataclass(frozen=True, slots=True)
class Point:
    at: float | str
    value: float
    said: str
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    color: str
    points: Sequence[Point]
    dash: str = "solid"


@dataclass(frozen=True, slots=True)
class Graph:
    """A panel and its lines."""

    title: str
    about: str
    lines: Sequence[Line]
    linear: bool = False


def iterations(report: SensitivityReport) -> Plot | None:
    found, seen = report.per_iteration, f"{report.n_observations} observations"
    precisions = in_order(found)

    def lines(numbers: Callable[[str], Iterable[tuple[int, float]]]) -> list[Line]:
        return _lines({p: [_point(p, "denoising iteration", k, value, seen) for k, value in numbers(p)] for p in precisions})

    fresh = lines(lambda p: enumerate(found[p].teacher_forced, 1))
    grown = lines(lambda p: enumerate(found[p].free_running[1:], 1))  # before the first both paths are one
    graphs = [
        Graph("Made anew at each iteration", "teacher-forced: error of the velocity on FP32's own path", fresh),
        Graph("Gathered so far", "free-running: distance of the plan from FP32's after it", grown),
    ]
    iterations = max((len(line.points) for line in fresh), default=0)
    return _drawn(graphs, {"title": "denoising iteration", **({"dtick": 1} if iterations <= 12 else {})}) if iterations else None


def steps(report: SensitivityReport) -> Plot | None:
    rows = sorted(report.steps, key=lambda row: row.steps)
    precisions = in_order(precision for row in rows for precision in row.quantization)

    def points(name: str, pick: Callable[[StepRow], Interval | None]) -> list[Point]:
        return [_measured(name, row, found) for row in rows if (found := pick(row))]

    solver = Line("solver", color("ink"), points("solver", lambda row: row.solver), "dash")
    lines = _lines({p: points(precision_label(p), lambda row, p=p: row.quantization.get(p)) for p in precisions})  # type: ignore[misc]
    recorded = Line("FP32", color("ink"), points("FP32", lambda row: row.vs_recorded))
    about = "solver: FP32 against FP32 of 100 steps; a precision: against FP32 of as many steps"
    graphs = [
        Graph("Solver and quantization apart", about, [solver, *lines, *_seed_to_seed(report, rows)]),
        Graph("Against the recorded actions", "FP32; can rise with steps while success rises too", [recorded], linear=True),
    ]
    return _drawn(graphs, {"title": "denoising steps", "type": "category"}) if rows else None


def positions(report: SensitivityReport) -> Plot | None:
    found = {name: values for name, values in report.by_position.items() if name != "fp32"}  # its own is against the recording
    seen = f"{report.n_observations} observations"
    lines = _lines({p: [_point(p, "position", k, value, seen) for k, value in enumerate(found[p])] for p in in_order(found)})
    graph = Graph("All stages in one precision", "error of each action of a chunk against FP32's", lines)
    return _drawn([graph], {"title": "position in the chunk (actions)"}) if lines else None


def _point(precision: str, axis: str, at: int, value: float, seen: str) -> Point:
    return Point(at, value, f"{precision_label(precision)}, {axis} {at}: {short(value)}, mean of {seen}")


def _measured(name: str, row: StepRow, found: Interval) -> Point:
    said = f"{name}, {count(row.steps, 'denoising step')}: {with_interval(found)}, {count(row.n_observations, 'observation')}"
    return Point(str(row.steps), found.mean, said, found)


def _seed_to_seed(report: SensitivityReport, rows: Sequence[StepRow]) -> list[Line]:
    """How far FP32's own plans lie apart when only the noise changes: a level to hold the others against."""
    spread = report.fp32.seed_spread
    if spread is None:
        return []
    said = f"FP32 from seed to seed: {with_interval(spread)}, {report.n_observations} observations"
    return [Line("seed to seed", color("soft"), [Point(str(row.steps), spread.mean, said) for row in rows], "dot")]


def _lines(points: Mapping[str, Sequence[Point]]) -> list[Line]:
    """A line a precision; those of one color differ in their dashes."""
    seen: Counter[str] = Counter()
    made = []
    for precision, found in points.items():
        scheme = scheme_of(precision)
        dash = DASHES[seen[scheme] % len(DASHES)]
        seen[scheme] += 1
        made.append(Line(precision_label(precision), PRECISION_COLORS.get(scheme, color("ink")), found, dash))
    return made


def _drawn(graphs: Sequence[Graph], x: Mapping[str, Any]) -> Plot:
    traces = []
    panels = []
    legend: set[str] = set()  # one entry of a name for all panels
    for i, graph in enumerate(graphs):
        least = min(worth_showing([point.value for line in graph.lines for point in line.points]), default=0)
        shown = {line.label: [p for p in line.points if p.value > 0 and (graph.linear or p.value >= least)] for line in graph.lines}
        nothing = [label for label, points in shown.items() if not points]
        about = graph.about + (f"; not drawn, 0 or next to it: {', '.join(nothing)}" if nothing else "")
        panels.append(Panel(graph.title, about, x, {"title": ERROR, **_value_axis(graph.linear)}))
        for line in graph.lines:
            if shown[line.label]:
                traces.append(_trace(line, shown[line.label], axes_of(i), line.label not in legend))
                legend.add(line.label)
    said = "; ".join(f"{graph.title}: {', '.join(line.label for line in graph.lines)}" for graph in graphs)
    return make_plot(f"Lines over {x['title']}. {said}", traces, panels, HEIGHT)


def _value_axis(linear: bool) -> dict[str, Any]:
    return {"rangemode": "tozero", "nticks": 6} if linear else {"type": "log", "tickformat": "~g", "nticks": 5}


def _trace(line: Line, points: Sequence[Point], axes: Mapping[str, str], in_legend: bool) -> go.Scatter:
    spans = [(p.interval.high - p.value, p.value - max(p.interval.low, 0)) if p.interval else (0, 0) for p in points]
    up, down = zip(*spans, strict=True)
    return go.Scatter(
        **axes,
        name=line.label,
        legendgroup=line.label,
        showlegend=in_legend,
        mode="lines" if len(points) > MANY or line.dash == "dot" else "lines+markers",
        x=[point.at for point in points],
        y=[point.value for point in points],
        line={"color": line.color, "width": 2, "dash": line.dash},
        marker={"color": line.color, "size": 6},
        error_y={"array": list(up), "arrayminus": list(down), "thickness": 1.2, "width": 0, "color": line.color} if any(up) else None,
        **hovers(point.said for point in points),
    )
