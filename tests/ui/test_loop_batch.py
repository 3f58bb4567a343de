"""The batch behind the page: rows as they are told, a latency that says what it is, and a tab that runs, stops, films and compares."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.fakes import act_spec
from tests.ui.fake_batch import report
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_replay import asked, kinds, visitor
from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import RolloutReport, name_apart
from vla_demo.ui.loop import batch_words as words
from vla_demo.ui.loop.batch import BatchPart, latency_of
from vla_demo.workbench.rollout.batch import RolloutRequest

FP32, INT8 = "vision=fp32,expert=fp32", "vision=int8,expert=int8"


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> BatchPart:
    return BatchPart(workbench.policies, workbench.rollout)


def batch(*lanes: tuple[str, str], **parts: Any) -> gr.EventData:
    chosen = [{"mode": mode, "variant": variant} for mode, variant in lanes or [("async", FP32)]]
    return asked(**{"run": "b1", "policy": "act", "lanes": chosen, "latency": 100, "fps": 30, "threshold": 0.5, "seed": 0, **parts})


def rows(tab: BatchPart, *lanes: tuple[str, str], **parts: Any) -> list[dict[str, Any]]:
    return [one["row"] for one in tab.run_batch(batch(*lanes, **parts), visitor()) if one["kind"] == "batch_row"]


def measured(workbench: FakeWorkbench, variant: str) -> RolloutReport:
    return report(workbench.rollout.starts(), RolloutRequest(Variant.parse(variant, act_spec()), given_latency("2860"), mode="sync"))


def row_of(workbench: FakeWorkbench, variant: str) -> dict[str, Any]:
    splits = {card.number: card.split for card in workbench.rollout.starts()}
    return words.row("row-1", "ACT", measured(workbench, variant), splits, False)


def test_a_row_gives_the_count_with_its_interval_the_split_and_what_the_latency_is(workbench: FakeWorkbench) -> None:
    row = row_of(workbench, INT8)
    assert (row["successes"], row["n"], row["splits"]) == (1, 3, {"test": "1/2", "validation": "0/1"})
    assert row["low"] == pytest.approx(0.06, abs=0.01) and row["high"] == pytest.approx(0.79, abs=0.01)
    assert (row["variant"], row["mode"], row["latency"], row["kind"], row["idle"]) == ("INT8", "sync", "2.86 s", "given", "50 %")
    assert [(one["label"], one["about"]) for one in row["failed"]] == [
        ("T1", "test 1, cluster 1: grasped once"),
        ("V1", "validation 1, cluster 6: grasped once"),
    ]


def test_a_variant_is_named_by_its_stages_where_they_are_not_alike(workbench: FakeWorkbench) -> None:
    assert row_of(workbench, "vision=int8,expert=fp32")["variant"] == "vision INT8, expert FP32"


@pytest.mark.parametrize(
    ("ms", "variant", "kind"),
    [
        (2860, FP32, "published"),
        (320, INT8, "published"),
        (2860, INT8, "given"),
        (412, FP32, "measured"),
        (500, FP32, "given"),
        (0, FP32, "given"),
    ],
)
def test_a_latency_says_who_says_so(ms: float, variant: str, kind: str) -> None:
    timed = {"ms": 412.3, "about": "Measured: median of 5 inferences here, a stand-in."}
    found = latency_of(ms, act_spec(), Variant.parse(variant, act_spec()), timed)
    assert found.kind == kind and found.seconds == pytest.approx(ms / 1e3, abs=1e-3)


def test_the_tab_opens_with_the_rows_that_came_with_the_app_and_the_article_s_table(tab: BatchPart) -> None:
    (opened,) = tab.open_batch(visitor())
    assert [row["shipped"] for row in opened["rows"]] == [True, True]
    assert [row["overall"] for row in opened["article"]["rows"]] == ["0.96", "0.89", "0.47", None]
    assert opened["article"]["rows"][1]["slip"] == "printed 0.89, but 26/30 = 0.867"


def test_each_lane_becomes_a_row_with_progress_before_it(tab: BatchPart, workbench: FakeWorkbench) -> None:
    said = list(tab.run_batch(batch(("sync", FP32), ("async", INT8)), visitor()))
    assert [row["mode"] for one in said if one["kind"] == "batch_row" for row in [one["row"]]] == ["sync", "async"]
    steps = [(one["lane"], one["done"], one["successes"]) for one in said if one["kind"] == "batch_progress" and "done" in one]
    assert steps == [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 2), (1, 0, 0), (1, 1, 0), (1, 2, 1), (1, 3, 1)]
    assert said[-1]["kind"] == "batch_done" and [one.request.starts for one in workbench.rollout.rolled] == ["all", "all"]


def test_two_rows_are_compared_in_pairs_by_what_is_not_the_same_in_them(tab: BatchPart) -> None:
    one, other = rows(tab, ("sync", FP32), ("sync", INT8))
    (pair,) = tab.pair_rows(asked(first=one["id"], second=other["id"]), visitor())
    assert pair["verdict"] == "not distinguishable"
    assert "1 was solved only with FP32 and 0 only with INT8 (McNemar's exact test: p = 1)" in pair["sentence"]


def test_stop_ends_the_batch_in_the_middle_of_a_start(tab: BatchPart, workbench: FakeWorkbench) -> None:
    workbench.gate.clear()
    said = list[str]()
    running = threading.Thread(target=lambda: said.extend(kinds(tab.run_batch(batch(), visitor()))))
    running.start()
    while not workbench.rollout.rolled:
        running.join(0.01)
    tab.stop_batch(asked(run="another"), visitor())
    assert not workbench.rollout.rolled[0].stopped.is_set()
    tab.stop_batch(asked(run="b1"), visitor())
    running.join(30)
    assert not running.is_alive() and workbench.rollout.rolled[0].closed.is_set() and "batch_row" not in said


def test_closing_the_tab_ends_its_batch_and_its_film_and_no_other(tab: BatchPart, workbench: FakeWorkbench) -> None:
    workbench.gate.clear()
    (opened,) = tab.open_batch(visitor("mine"))
    filming = tab.film_start(asked(run="f1", row=opened["rows"][0]["id"], start=206000), visitor("mine"))
    rolling = tab.run_batch(batch(), visitor("mine"))
    assert [next(filming)["kind"], next(rolling)["kind"]] == ["film_progress", "batch_progress"]
    tab.leave(visitor("another"))
    assert not workbench.rollout.rolled[0].stopped.is_set()
    tab.leave(visitor("mine"))
    assert kinds(filming) == [] and workbench.rollout.film_ended.is_set() and workbench.rollout.rolled[0].stopped.is_set()


def test_a_start_is_filmed_as_long_as_it_took(tab: BatchPart, workbench: FakeWorkbench) -> None:
    (row,) = rows(tab, ("sync", FP32))
    *said, film = tab.film_start(asked(run="f1", row=row["id"], start=206000), visitor())
    assert [one["kind"] for one in said] == ["film_progress"] * 2 and film["url"] == "gradio_api/file=/videos/left.mp4"
    ((request, start, ticks),) = workbench.rollout.filmed
    assert (request, start, ticks) == (workbench.rollout.rolled[0].request, 206000, 1800)


def test_a_row_that_came_with_the_app_is_filmed_with_its_own_settings_unless_the_checkpoint_is_another(
    tab: BatchPart, workbench: FakeWorkbench
) -> None:
    (opened,) = tab.open_batch(visitor())
    own, foreign = (row["id"] for row in opened["rows"])
    assert kinds(tab.film_start(asked(run="f1", row=own, start=206000), visitor()))[-1] == "film"
    request = workbench.rollout.filmed[0][0]
    assert (request.mode, request.latency.seconds, str(request.variant)) == ("sync", 2.86, FP32)
    with pytest.raises(gr.Error, match="another revision"):
        list(tab.film_start(asked(run="f2", row=foreign, start=206000), visitor()))


def test_a_row_of_another_visitor_or_of_before_a_restart_is_not_known(tab: BatchPart) -> None:
    (row,) = rows(tab)
    with pytest.raises(gr.Error, match="not known here any more"):
        list(tab.film_start(asked(run="f1", row=row["id"], start=206000), visitor("another")))


@pytest.mark.parametrize("wrong", [{"fps": 45}, {"latency": -1}, {"latency": float("nan")}, {"lanes": []}])
def test_settings_that_the_page_does_not_offer_are_refused_and_the_page_hears_of_it(tab: BatchPart, wrong: dict[str, Any]) -> None:
    said = list[str]()
    with pytest.raises(gr.Error):
        for one in tab.run_batch(batch(**wrong), visitor()):
            said.append(one["kind"])
    assert said == ["batch_failed"]


def test_names_of_rows_of_two_policies_begin_with_the_policy(workbench: FakeWorkbench) -> None:
    act = replace(measured(workbench, FP32), latency_ms=0)
    smolvla = replace(act, variant="vision=fp32,llm=fp32,expert=fp32,steps=10")
    assert name_apart(act, smolvla, ("ACT", "SmolVLA")) == ("ACT, FP32", "SmolVLA, FP32, 10 steps")
    assert name_apart(act, act) == ("the first", "the second")
    assert name_apart(act, replace(act, latency_ms=320)) == ("no latency", "320 ms of latency")
    with pytest.raises(InvalidInput):
        latency_of(-1, act_spec(), Variant.reference(act_spec()), None)
