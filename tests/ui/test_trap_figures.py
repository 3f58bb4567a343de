"""The figures of the Trap tab, made from a report: what is drawn, what a hover says, what stands in the tables."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.ui.sample_report import N, finding, sample_json, sample_report
from tests.ui.test_colors import DARK, LIGHT
from vla_demo.core.demo import require_demo
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.shared.plot_theme import PRECISION_COLORS, TEMPLATE
from vla_demo.ui.trap.figures import figures

FLOW = ["heatmap", "speed", "iterations", "by_position", "steps", "two_by_two", "layers", "smoothness"]
ACT = ["heatmap", "speed", "by_position", "two_by_two", "layers", "smoothness"]
SAID = re.compile(r"\d+ observations|95 % interval|medians of a dozen chunks|MB, FP32")


def figure(made: dict[str, Any], name: str) -> Any:
    return next(one for one in figures(SensitivityReport.read(json.dumps(made))) if one["name"] == name)


def plot(made: dict[str, Any], name: str, view: int = 0) -> Any:
    return figure(made, name)["views"][view]["plot"]


def cells(made: dict[str, Any]) -> list[Any]:
    return [cell for row in figure(made, "heatmap")["heatmap"]["rows"] for cell in row["cells"] if cell and "variant" in cell]


def plots(report: SensitivityReport) -> Iterator[tuple[str, Any]]:
    for one in figures(report):
        for view in one["views"]:
            yield one["name"], view["plot"]
            if "more" in view:
                yield one["name"], view["more"]["plot"]


def hovers(trace: Mapping[str, Any]) -> list[str]:
    return [text.replace("<br>", " ") for text in trace.get("customdata", [])]


def vague(traces: list[Mapping[str, Any]]) -> list[str]:
    """What a hover says without saying of how much, or how sure."""
    return [said for trace in traces for said in hovers(trace) if not SAID.search(said)]


def reports() -> list[SensitivityReport]:
    """The two that come with the app, and two made up."""
    shipped = [SensitivityReport.read(require_demo().sensitivity(policy).read_text(encoding="utf-8")) for policy in ("act", "smolvla")]
    return [*shipped, sample_report("act"), sample_report("smolvla")]


def test_a_flow_policy_has_every_figure_and_an_act_only_those_it_has_numbers_for() -> None:
    assert [[one["name"] for one in figures(report)] for report in reports()] == [ACT, FLOW, ACT, FLOW]


def test_the_heat_map_has_a_cell_for_each_measurement_and_says_its_variant_and_n() -> None:
    drawn = figure(sample_json("smolvla"), "heatmap")["heatmap"]
    assert len(cells(sample_json("smolvla"))) == 7 * 4
    assert drawn["columns"] == ["Vision encoder", "Language backbone", "Action expert", "All stages"]
    assert {cell["n"] for cell in cells(sample_json("smolvla"))} == {N}
    cell = drawn["rows"][1]["cells"][2]
    assert cell["variant"] == "vision=fp32,llm=fp32,expert=int8"
    assert cell["said"].startswith("Action expert in INT8: error 0.041, 0.036 to 0.046, 24 observations;")
    assert (cell["number"], cell["interval"]) == ("0.041", "0.036–0.046")


def test_a_worse_variant_carries_a_mark_and_others_do_not() -> None:
    numbers = {cell["variant"]: cell["number"] for cell in cells(sample_json("act"))}
    assert numbers["vision=int2,expert=fp32"] == "0.62 ▲"
    assert numbers["vision=int4,expert=fp32"] == "0.035"


def test_what_could_not_be_measured_says_why() -> None:
    rows = figure(sample_json("smolvla"), "heatmap")["heatmap"]["rows"]
    (row,) = [row for row in rows if row["label"] == "INT8 static entropy"]
    assert row["refused"] == "int8-static needs calibration"
    assert row["cells"] == [{"said": "Vision encoder in INT8 static entropy: int8-static needs calibration"}, None, None, None]
    assert [row["refused"] for row in rows if row["label"] == "INT8"] == [None]


def test_more_error_is_further_along_the_colors_and_none_does_not_stretch_them() -> None:
    shares = {cell["variant"]: cell["share"] for cell in cells(sample_json("act"))}
    assert shares["vision=fp16,expert=fp32"] == 0
    assert shares["vision=int8w,expert=fp32"] < shares["vision=int8,expert=fp32"] < shares["vision=int2,expert=fp32"] < 1
    assert {tick["label"] for tick in figure(sample_json("act"), "heatmap")["heatmap"]["key"]} == {"0.001", "0.01", "0.1", "1"}


def test_a_study_of_stages_in_several_precisions_is_drawn_too() -> None:
    report = sample_json("act")
    both = {**report["sensitivity"][0], "stage": "all", "precision": "vision=int8,expert=int4"}
    row = figure({**report, "sensitivity": [*report["sensitivity"], both]}, "heatmap")["heatmap"]["rows"][-1]
    assert (row["label"], row["operands"]) == ("vision INT8, expert INT4", "")


def test_every_figure_has_its_reading_and_its_numbers_as_a_table() -> None:
    for one in figures(sample_report("smolvla")):
        assert len(one["views"][0]["readings"]) == 1
        assert one["caption"]
        assert one["table"]["rows"]
        assert all(len(row) == len(one["table"]["columns"]) for row in one["table"]["rows"]), one["name"]


@pytest.mark.parametrize("report", reports(), ids=["act", "smolvla", "sample act", "sample smolvla"])
def test_every_hover_says_of_how_much_or_how_sure(report: SensitivityReport) -> None:
    for name, drawn in plots(report):
        assert vague(drawn["data"]) == [], name
        if name not in ("heatmap", "smoothness"):  # tables
            assert sum(len(hovers(trace)) for trace in drawn["data"]) > 5, name


def test_a_hover_without_a_count_is_found() -> None:
    assert vague([{"customdata": ["INT8, position 3: 0.004"]}]) == ["INT8, position 3: 0.004"]


@pytest.mark.parametrize("report", reports(), ids=["act", "smolvla", "sample act", "sample smolvla"])
def test_every_color_of_a_figure_is_one_of_the_page_s(report: SensitivityReport) -> None:
    assert unknown_colors(json.dumps([TEMPLATE, *[drawn for _, drawn in plots(report)]])) == set()


def unknown_colors(text: str) -> set[str]:
    """Variables that the page's style sheet lacks, and colors that no theme could change."""
    fonts = {"sans", "mono"}
    named = set(re.findall(r"var\(--([\w-]+)\)", text))
    return (named - LIGHT.keys() - fonts) | set(re.findall(r'"(#[0-9a-fA-F]{3,8}|rgb\([^)]*\))"', text))


def test_a_color_that_the_page_does_not_have_is_found() -> None:
    assert unknown_colors('["var(--inc)", "#1f77b4", "var(--ink)"]') == {"inc", "#1f77b4"}


def test_every_precision_that_is_offered_has_a_color_and_no_two_have_the_same() -> None:
    assert set(OFFERED_PRECISIONS) <= PRECISION_COLORS.keys()
    assert len(set(PRECISION_COLORS.values())) == len(PRECISION_COLORS)


def test_ink_and_paper_change_with_the_theme() -> None:
    assert all(LIGHT[name] != DARK[name] for name in ("ink", "soft", "line", "edge", "paper", "card", "warn"))


def test_free_running_starts_after_the_first_iteration_because_zero_has_no_logarithm() -> None:
    drawn = plot(sample_json("smolvla"), "iterations")
    names = ["INT8", "INT8 smooth", "INT4", "INT2"]
    assert [(trace["name"], trace["xaxis"]) for trace in drawn["data"]] == [(name, x) for x in ("x", "x2") for name in names]
    assert all(trace["x"] == list(range(1, 11)) for trace in drawn["data"])
    assert [trace["showlegend"] for trace in drawn["data"]] == [True] * 4 + [False] * 4
    assert {drawn["layout"][axis]["type"] for axis in ("yaxis", "yaxis2")} == {"log"}


def test_a_line_s_hover_says_where_and_what_it_is_a_mean_of() -> None:
    first = plot(sample_json("smolvla"), "iterations")["data"][0]
    assert hovers(first)[2] == "INT8, denoising iteration 3: 0.033, mean of 24 observations"


def test_steps_have_intervals_a_dashed_solver_and_the_level_from_seed_to_seed() -> None:
    drawn = plot(sample_json("smolvla"), "steps")
    solver, *precisions, level, recorded = drawn["data"]
    assert (solver["name"], solver["line"]["dash"]) == ("solver", "dash")
    assert [trace["name"] for trace in precisions] == ["INT8", "INT8 smooth", "INT4"]
    assert all(up > 0 for trace in [solver, *precisions, recorded] for up in trace["error_y"]["array"])
    assert (level["name"], set(level["y"])) == ("seed to seed", {0.21})
    assert (recorded["name"], recorded["xaxis"], drawn["layout"]["yaxis2"]["rangemode"]) == ("FP32", "x2", "tozero")
    assert hovers(solver)[0] == "solver, 1 denoising step: 0.30, 0.26 to 0.34, 8 observations"


def test_what_is_zero_is_named_and_not_drawn() -> None:
    report = sample_json("smolvla")
    zeros = {"fp16": [0.0] * 50, **report["by_position"]}
    drawn = plot({**report, "by_position": zeros}, "by_position")
    assert "FP16" not in [trace["name"] for trace in drawn["data"]]
    assert any("not drawn, 0 or next to it: FP16" in note["text"] for note in drawn["layout"]["annotations"])


def test_by_position_leaves_out_fp32_which_is_held_against_something_else() -> None:
    assert [trace["name"] for trace in plot(sample_json("act"), "by_position")["data"]] == ["INT8", "INT8 smooth", "INT4"]


def test_two_precisions_of_one_color_differ_in_their_dashes() -> None:
    report = sample_json("act")
    both = {"int4": report["by_position"]["int4"], "int4-b64": report["by_position"]["int4"]}
    first, second = (trace["line"] for trace in plot({**report, "by_position": both}, "by_position")["data"])
    assert first["color"] == second["color"]
    assert first["dash"] != second["dash"]


def test_a_smaller_graph_that_is_slower_lies_right_of_fp32() -> None:
    drawn = plot(sample_json("act"), "speed")
    sizes, times = ([x for trace in drawn["data"] if trace["xaxis"] == axis for x in trace["x"]] for axis in ("x", "x2"))
    assert max(sizes) < 1 < max(times)
    assert drawn["layout"]["yaxis2"]["showticklabels"] is False
    assert "showticklabels" not in drawn["narrow"]["yaxis2"]


def test_fp32_s_own_bytes_and_milliseconds_are_said_and_how_times_were_taken() -> None:
    caption = figure(sample_json("act"), "speed")["caption"]
    assert "FP32: vision encoder 3.3 MB, 103 ms; action expert 2.9 MB, 592 ms." in caption
    assert "read the ratios, not the milliseconds" in caption
    older = {**sample_json("act"), "fp32": {**sample_json("act")["fp32"], "stages": {}}}
    assert "FP32:" not in figure(older, "speed")["caption"]


def test_the_sum_of_two_halves_stands_beside_both() -> None:
    drawn = plot(sample_json("act"), "two_by_two")
    bars = [trace for trace in drawn["data"] if trace["type"] == "bar"]
    sums = [trace for trace in drawn["data"] if trace.get("marker", {}).get("symbol") == "diamond"]
    assert [trace["y"] for trace in bars] == [["vision", "expert", "both"]] * 2
    assert [trace["x"] for trace in sums] == [[pytest.approx(trace["x"][0] + trace["x"][1])] for trace in bars]
    assert all(low > 0 for trace in bars for low in trace["error_x"]["arrayminus"])


def test_a_layer_s_name_that_two_stages_have_carries_its_stage() -> None:
    order = figure(sample_json("smolvla"), "layers")["views"][0]["more"]["plot"]["layout"]["yaxis"]["categoryarray"]
    assert len(set(order)) == len(order) == 24
    assert {"llm layers.0.mlp.down_proj", "expert layers.0.mlp.down_proj", "encoder.0.mlp.down_proj"} <= set(order)


def test_a_layer_s_name_from_a_stranger_s_checkpoint_is_no_markup() -> None:
    report = sample_json("act")
    named = [{**layer, "layer": "<b>x</b>"} if i == 0 else layer for i, layer in enumerate(report["layers"])]
    text = json.dumps(plot({**report, "layers": named}, "layers"))
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x" not in text


def test_what_is_said_above_the_layers_is_about_the_precision_on_show() -> None:
    said = [finding("layers", "int8", "Head costs most."), finding("layers", "int4", "It tells little."), finding("layers", None, "All.")]
    views = figure({**sample_json("act"), "findings": said}, "layers")["views"]
    assert [view["readings"] for view in views] == [["Head costs most.", "All."], ["It tells little.", "All."]]


def test_layers_are_ranked_within_a_precision_and_the_worst_are_shown_first() -> None:
    views = figure(sample_json("smolvla"), "layers")["views"]
    assert [view["label"] for view in views] == ["INT8", "INT4"]
    for view in views:
        bars = [trace for trace in view["more"]["plot"]["data"] if trace["type"] == "bar"]
        errors = {label: x for bar in bars for label, x in zip(bar["y"], bar["x"], strict=True)}
        order = view["more"]["plot"]["layout"]["yaxis"]["categoryarray"]
        assert [errors[label] for label in order] == sorted(errors.values(), reverse=True)
        assert view["plot"]["layout"]["yaxis"]["categoryarray"] == order[:16]
        assert view["more"]["show"] == "Show all 24 layers"
    assert "more" not in figure(sample_json("act"), "layers")["views"][0]  # 16 are all there are
