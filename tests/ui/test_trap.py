"""The Trap tab behind the page: figures made from a report, and a tab that computes for one visitor without disturbing another."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.sample_report import N, finding, sample_json, sample_report
from tests.ui.test_replay import asked, kinds, visitor
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.trap.figures import figures
from vla_demo.ui.trap.handlers import TrapTab, report_message
from vla_demo.ui.trap.names import in_order
from vla_demo.ui.trap.words import computed


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> TrapTab:
    return TrapTab(workbench.policies, workbench.sensitivity)


def figure(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in figures(SensitivityReport.read(json.dumps(made))) if one["name"] == name)


def test_a_flow_policy_has_every_figure_and_an_act_only_those_it_has_numbers_for() -> None:
    names = [[one["name"] for one in figures(sample_report(policy))] for policy in ("smolvla", "act")]
    assert names[0] == ["heatmap", "speed", "iterations", "by_position", "steps", "two_by_two", "layers", "smoothness"]
    assert names[1] == ["heatmap", "speed", "by_position", "two_by_two", "layers", "smoothness"]


def test_the_heat_map_has_a_cell_for_each_measurement_and_says_its_variant_and_n() -> None:
    drawn = figure(sample_json("smolvla"), "heatmap")
    cells = [cell for row in drawn["cells"] for cell in row if cell and "problem" not in cell]
    assert len(cells) == 7 * 4
    assert [column["role"] for column in drawn["columns"]] == ["vision", "llm", "expert", "all"]
    assert {cell["n"] for cell in cells} == {N}
    assert drawn["cells"][1][2]["variant"] == "vision=fp32,llm=fp32,expert=int8"
    assert drawn["cells"][1][2]["said"].startswith("Action expert in INT8: error 0.041, 0.036 to 0.046, 24 observations;")


def test_a_worse_variant_carries_a_mark_and_others_do_not() -> None:
    marks = {
        cell["variant"]: cell["mark"] for row in figure(sample_json("act"), "heatmap")["cells"] for cell in row if cell and "mark" in cell
    }
    assert marks["vision=int2,expert=fp32"] == "▲"
    assert marks["vision=int4,expert=fp32"] == ""


def test_what_could_not_be_measured_says_why() -> None:
    drawn = figure(sample_json("smolvla"), "heatmap")
    row = [one["precision"] for one in drawn["rows"]].index("int8-static-entropy")
    said = {"problem": "Vision encoder in INT8 static entropy: int8-static needs calibration", "why": "int8-static needs calibration"}
    assert drawn["cells"][row] == [said, None, None, None]


def test_precisions_stand_as_on_the_dial_with_recipes_last() -> None:
    assert in_order(["mixed-0123456789ab", "int4", "int8-static", "fp16", "int4", "int4-b64"]) == [
        "fp16",
        "int8-static",
        "int4",
        "int4-b64",
        "mixed-0123456789ab",
    ]


def test_a_study_of_stages_in_several_precisions_is_drawn_too() -> None:
    report = sample_json("act")
    both = {**report["sensitivity"][0], "stage": "all", "precision": "vision=int8,expert=int4"}
    drawn = figure({**report, "sensitivity": [*report["sensitivity"], both]}, "heatmap")
    assert drawn["rows"][-1] == {"precision": "vision=int8,expert=int4", "label": "vision INT8, expert INT4", "operands": ""}


def test_every_figure_has_its_reading_and_its_numbers_as_a_table() -> None:
    for one in figures(sample_report("smolvla")):
        assert len(one["readings"]) == 1
        assert one["caption"]
        assert all(len(row) == len(one["table"]["columns"]) for row in one["table"]["rows"]), one["name"]


def test_free_running_starts_after_the_first_iteration_because_zero_has_no_logarithm() -> None:
    fresh, grown = figure(sample_json("smolvla"), "iterations")["panels"]
    assert [point[0] for point in fresh["series"][0]["points"]] == list(range(1, 11))
    assert [point[0] for point in grown["series"][0]["points"]] == list(range(1, 11))
    assert [line["ink"] for line in grown["series"]] == ["int8", "int8-smooth", "int4", "int2"]


def test_by_position_leaves_out_fp32_which_is_held_against_something_else() -> None:
    labels = [line["label"] for line in figure(sample_json("act"), "by_position")["panels"][0]["series"]]
    assert labels == ["INT8", "INT8 smooth", "INT4"]


def test_a_smaller_graph_that_is_slower_lies_right_of_fp32() -> None:
    size, time = figure(sample_json("act"), "speed")["panels"]
    assert max(mark["ratio"] for mark in size["marks"]) < 1 < max(mark["ratio"] for mark in time["marks"])


def test_fp32_s_own_bytes_and_milliseconds_are_said_and_how_times_were_taken() -> None:
    caption = figure(sample_json("act"), "speed")["caption"]
    assert "FP32: vision encoder 3.3 MB, 103 ms; action expert 2.9 MB, 592 ms." in caption
    assert "read the ratios, not the milliseconds" in caption
    older = {**sample_json("act"), "fp32": {**sample_json("act")["fp32"], "stages": {}}}
    assert "FP32:" not in figure(older, "speed")["caption"]


def test_a_layer_s_name_that_two_stages_have_carries_its_stage() -> None:
    (group, _) = figure(sample_json("smolvla"), "layers")["groups"]
    labels = [bar["label"] for bar in group["bars"]]
    assert len(set(labels)) == len(labels)
    assert {"llm layers.0.mlp.down_proj", "expert layers.0.mlp.down_proj", "encoder.0.mlp.down_proj"} <= set(labels)


def test_what_is_said_above_the_layers_is_about_the_precision_on_show() -> None:
    said = [finding("layers", "int8", "Head costs most."), finding("layers", "int4", "It tells little."), finding("layers", None, "All.")]
    groups = figure({**sample_json("act"), "findings": said}, "layers")["groups"]
    assert [group["readings"] for group in groups] == [["Head costs most.", "All."], ["It tells little.", "All."]]


def test_layers_are_ranked_within_a_precision() -> None:
    groups = figure(sample_json("act"), "layers")["groups"]
    assert [group["label"] for group in groups] == ["INT8", "INT4"]
    for group in groups:
        errors = [bar["mean"] for bar in group["bars"]]
        assert len(errors) == 16
        assert errors == sorted(errors, reverse=True)


def test_the_small_print_says_when_where_and_from_how_much() -> None:
    assert computed(sample_json("act")) == (
        "Computed on 22 November 2026, 18:20 UTC on a stand-in in 9 min, from 24 observations of 8 recorded episodes. "
        "Checkpoint 5f0c3a9e5f0c. Intervals are 95 %, bootstrapped over whole episodes."
    )


def test_a_report_is_plain_json() -> None:
    message = report_message("smolvla", sample_report("smolvla"))
    assert json.loads(json.dumps(message, allow_nan=False)) == message


def test_a_visit_names_the_policies_and_the_one_the_link_is_about(tab: TrapTab) -> None:
    (message,) = tab.visit(visitor(policy="smolvla", episode="nowhere"))
    assert message["chosen"] == "smolvla"
    assert [policy["id"] for policy in message["policies"]] == ["act", "smolvla"]


def test_what_comes_with_the_app_is_shown_at_once(tab: TrapTab, workbench: FakeWorkbench) -> None:
    assert kinds(tab.open_trap(asked(source="act"))) == ["report"]
    assert not workbench.sensitivity.computed.is_set()


def test_a_policy_without_a_report_says_what_computing_means(tab: TrapTab) -> None:
    (message,) = tab.open_trap(asked(source="someone/policy"))
    assert message["kind"] == "nothing"
    assert "can be stopped" in message["words"]


def test_computing_streams_progress_and_then_the_report(tab: TrapTab) -> None:
    heard = list(tab.compute_trap(asked(run="t1", source="act"), visitor()))
    assert [message["kind"] for message in heard] == ["progress"] * 4 + ["report"]
    assert {message["run"] for message in heard} == {"t1"}
    assert "another stand-in" in heard[-1]["about"]


def test_stop_ends_the_computation_without_a_report(tab: TrapTab, workbench: FakeWorkbench) -> None:
    heard = tab.compute_trap(asked(run="t1", source="act"), visitor())
    next(heard)
    tab.sessions.stop(asked(run="t1"), visitor())
    assert kinds(heard) == []
    assert workbench.sensitivity.computed.is_set()


def test_a_late_stop_does_not_hit_the_next_computation(tab: TrapTab) -> None:
    heard = tab.compute_trap(asked(run="t2", source="act"), visitor())
    next(heard)
    tab.sessions.stop(asked(run="t1"), visitor())
    assert kinds(heard)[-1] == "report"


def test_stop_and_a_closed_tab_of_one_visitor_leave_the_other_computing(tab: TrapTab) -> None:
    first, second = (
        tab.compute_trap(asked(run="t1", source="act"), visitor("a")),
        tab.compute_trap(asked(run="t1", source="act"), visitor("b")),
    )
    next(first), next(second)
    tab.sessions.stop(asked(run="t1"), visitor("a"))
    tab.leave(visitor("a"))
    assert kinds(first) == []
    assert kinds(second)[-1] == "report"
