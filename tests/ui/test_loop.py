"""The Closed loop tab's live part behind the page: a tab that runs lanes for one visitor without disturbing another, and its sentences."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.fakes import act_spec
from tests.ui.fake_batch import report
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_replay import asked, kinds, visitor
from vla_demo.core.errors import MissingPiece
from vla_demo.core.extras import install
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.ui.loop import words as loop_words
from vla_demo.ui.loop.handlers import LoopTab
from vla_demo.ui.loop.link import LaneView, read_loop_link
from vla_demo.ui.shared import toasts
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.scenes import StartCard

LANES = [{"mode": "sync", "variant": ""}, {"mode": "async", "variant": ""}]
STARTS = [301000, 302000]


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> LoopTab:
    return LoopTab(workbench.policies, workbench.rollout)


def run(**parts: Any) -> gr.EventData:
    plain = {"run": "r1", "policy": "act", "start": 301000, "fps": 30, "threshold": 0.5, "latency": 500, "seed": 0, "lanes": LANES}
    return asked(**{**plain, **parts})


def weighed(tab: LoopTab, **parts: Any) -> dict[str, Any]:
    lanes = [{"mode": "sync", "actions": 50, "variant": ""}, {"mode": "async", "actions": 100, "variant": ""}]
    plain = {"latency": 500, "fps": 30, "threshold": 0.5, "chunk": 100, "window": 12, "policy": "act", "lanes": lanes}
    return tab.weigh({**plain, **parts})


def opened(tab: LoopTab, source: str = "act") -> list[dict[str, Any]]:
    return list(tab.open_loop(asked(run="o1", source=source, variants=["", ""]), visitor()))


def test_a_visit_says_what_can_be_chosen_and_what_the_link_asks_for(tab: LoopTab) -> None:
    (setting,) = tab.visit(visitor(tab="loop", lane="async:vision=int8", start="302000", latency="320"))
    assert [start["label"] for start in setting["starts"]][-1] == "Validation 1 · cluster 6 (unseen)"
    assert [mark["label"] for mark in setting["marks"]] == ["ACT 2.86 s", "ACT 320 ms", "SmolVLA 29.1 s", "SmolVLA 6.15 s"]
    assert setting["view"]["lanes"] == ({"mode": "async", "variant": "vision=int8"},)
    assert (setting["view"]["start"], setting["view"]["latency"]) == (302000, 320.0)


def test_a_bad_link_is_complained_of_in_this_tab_only(tab: LoopTab, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(toasts.gr, "Warning", lambda text, **_: said.append(text))
    for open_tab in ("loop", "replay"):
        list(tab.visit(visitor(tab=open_tab, fps="31", lane="fast")))
    assert len(said) == 2 and "one of 10, 20, 30, 50, 60" in said[1]


def test_without_the_twin_the_tab_says_what_to_install(tab: LoopTab, workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingPiece(f"the twin needs MuJoCo: {install('twin')}")

    monkeypatch.setattr(workbench.rollout, "starts", missing)
    (setting,) = tab.visit(visitor(tab="loop"))
    assert "pip install" in setting["missing"][0] and setting["view"] is None


def test_a_policy_opens_with_two_strips_and_says_which_modes_it_has(tab: LoopTab) -> None:
    ready = opened(tab)[-1]
    assert ready["kind"] == "policy" and len(ready["strips"]) == 2
    assert [mode["problem"] for mode in ready["modes"]][:2] == ["", ""] and "does not denoise" in ready["modes"][2]["problem"]
    assert all(not mode["problem"] for mode in opened(tab, "smolvla")[-1]["modes"])


def test_a_run_streams_frames_of_both_lanes_and_one_report_with_all_that_happened(tab: LoopTab) -> None:
    heard = list(tab.run_loop(run(), visitor()))
    assert {heard[0]["kind"], heard[-1]["kind"]} == {"progress", "report"}
    lanes = {frame["lane"] for message in heard for frame in message.get("frames", [])}
    found = heard[-1]["lanes"]
    assert lanes == {0, 1} and [lane["lane"] for lane in found] == [0, 1]
    assert [lane["headline"] for lane in found] == ["In the mug after 5.5 s", "In the mug after 4.5 s"]
    assert sum(found[0]["trace"]["starved"]) > sum(found[1]["trace"]["starved"]) == 15  # async only waits for its first chunk


def test_pictures_are_jpegs(tab: LoopTab) -> None:
    (scene,) = tab.show_start(asked(start=301000))
    assert {camera: base64.b64decode(picture)[:3] for camera, picture in scene["pictures"].items()} == dict.fromkeys(
        ("top", "gripper", "left"), b"\xff\xd8\xff"
    )


def test_stop_ends_the_lanes_and_they_tell_what_they_had(tab: LoopTab, workbench: FakeWorkbench) -> None:
    workbench.gate.clear()
    heard = tab.run_loop(run(), visitor())
    while next(heard)["kind"] != "frames":
        pass
    tab.sessions.stop(asked(run="r1"), visitor())
    report = list(heard)[-1]
    assert [lane["headline"] for lane in report["lanes"]] == ["Stopped after 0.2 s"] * 2
    assert workbench.rollout.acted[0].closed.wait(30)


def test_a_late_stop_and_another_visitor_s_stop_disturb_nobody(tab: LoopTab, workbench: FakeWorkbench) -> None:
    first, second = tab.run_loop(run(), visitor("a")), tab.run_loop(run(run="r2"), visitor("b"))
    for heard in (first, second):
        while next(heard)["kind"] != "frames":
            pass
    tab.sessions.stop(asked(run="r0"), visitor("b"))
    tab.sessions.stop(asked(run="r1"), visitor("a"))
    assert workbench.rollout.acted[0].stopped.is_set() and not workbench.rollout.acted[1].stopped.is_set()
    assert kinds(second)[-1] == "report"


def test_a_closed_tab_ends_its_lanes_and_is_forgotten(tab: LoopTab, workbench: FakeWorkbench) -> None:
    heard = tab.run_loop(run(), visitor())
    while next(heard)["kind"] != "frames":
        pass
    tab.leave(visitor())
    assert workbench.rollout.acted[0].stopped.is_set() and not tab.sessions


def test_a_new_run_of_a_session_ends_its_old_one(tab: LoopTab, workbench: FakeWorkbench) -> None:
    old = tab.run_loop(run(), visitor())
    while next(old)["kind"] != "frames":
        pass
    list(tab.run_loop(run(run="r2"), visitor()))
    assert workbench.rollout.acted[0].stopped.is_set()


def test_a_latency_measured_here_goes_back_to_the_slider(tab: LoopTab) -> None:
    timed = list(tab.time_loop(asked(run="t1", policy="act", variant=""), visitor()))[-1]
    assert (timed["kind"], timed["ms"]) == ("timed", 412.0) and "median of 1 inference here, a stand-in" in timed["about"]


def test_an_impossible_latency_is_a_toast(tab: LoopTab) -> None:
    heard = tab.run_loop(run(latency=99_999), visitor())
    with pytest.raises(gr.Error, match="0 to 35000"):
        list(heard)


def test_where_the_article_s_rule_holds_the_stamped_one_may_not_and_the_words_say_so(tab: LoopTab) -> None:
    found = weighed(tab, latency=2860)
    assert found["lead"] == "Chunks of 100 at 30 fps last 3.33 s. An inference takes 2.86 s."
    assert [rule["holds"] for rule in found["rules"]] == [True, False]
    assert (found["rules"][0]["margin"], found["rules"][0]["fps"]) == ("473 ms to spare", "holds up to 35 fps")
    assert "about 42 % of the time in async mode" in found["reading"]
    assert all(sum(lane["starved"][90:]) > 0 for lane in found["lanes"])


def test_a_short_latency_stalls_sync_and_not_async(tab: LoopTab) -> None:
    sync, together = weighed(tab)["lanes"]
    assert sum(sync["starved"][30:]) > 0 == sum(together["starved"][30:])
    assert (sync["text"], together["text"]) == ("stands still 23 % of the time", "never starves once it has begun")


def test_at_60_fps_both_rules_are_broken_and_no_latency_breaks_none(tab: LoopTab) -> None:
    assert [rule["holds"] for rule in weighed(tab, latency=2860, fps=60)["rules"]] == [False, False]
    assert weighed(tab, latency=0)["rules"][0]["fps"] == "at any rate"


def test_a_prediction_comes_with_its_band_once_the_policy_is_open(tab: LoopTab) -> None:
    assert weighed(tab)["predicted"] == [None, None]
    opened(tab)
    found = weighed(tab)["predicted"][0]
    assert found["low"] < found["ms"] < found["high"] and "cannot know" in found["about"]


@pytest.mark.parametrize(
    "bad", [{"latency": -1}, {"latency": "x"}, {"fps": 0}, {"lanes": [{"mode": "fast", "actions": 5}]}, {"chunk": 10**9}]
)
def test_what_cannot_be_weighed_is_said_and_nothing_breaks(tab: LoopTab, bad: dict[str, Any]) -> None:
    assert set(weighed(tab, **bad)) == {"problem", "code"}


def test_an_empty_link_is_sync_beside_async_where_the_two_rules_disagree() -> None:
    view, wrong = read_loop_link({}, ["act"], STARTS, (10, 30))
    assert view.lanes == (LaneView("sync", ""), LaneView("async", "")) and view.latency == 2860 and view.open and wrong == []


def test_a_link_may_ask_for_what_a_board_has_measured() -> None:
    view, wrong = read_loop_link({"latency": "board:my arm"}, ["act"], STARTS, (10, 30))
    assert (view.board, view.latency, wrong) == ("my arm", 2860, [])


@pytest.mark.parametrize(
    "parts", [{"start": "7"}, {"threshold": "nan"}, {"latency": "1e9"}, {"lane": "fast:"}, {"lane": "sync:" + "x" * 600}]
)
def test_a_bad_part_of_a_link_is_named_and_replaced(parts: dict[str, str]) -> None:
    view, wrong = read_loop_link(parts, ["act"], STARTS, (10, 30))
    assert len(wrong) == 1 and next(iter(parts)) in wrong[0]
    assert (view.start, view.threshold, view.lanes[0].mode) == (301000, 0.5, "sync")


def test_a_figure_that_was_not_to_be_had_is_a_dash() -> None:
    request = RolloutRequest(Variant.parse("vision=int8", act_spec()), given_latency("100"))
    made = report([StartCard(301000, "test", 1)], request)
    nothing = replace(made, stale_share=None, observation_age_s=None, boundary_jump=None, jerk=None)
    assert [row["value"] for row in loop_words.rows(nothing, 0)] == ["5.0 %", "30 ticks", *["–"] * 4]
