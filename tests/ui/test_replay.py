"""The handlers behind the page: each session has its own run, Stop reports what there is, an error is a sentence."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.ui.fake_policies import package
from tests.ui.fake_replay import FRAMES, fake_episode
from tests.ui.fake_workbench import FakeWorkbench
from tests.waiting import wait_until
from vla_demo.core.demo import NO_DEMO
from vla_demo.core.errors import MissingPiece
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.ui.replay import handlers as replay
from vla_demo.ui.replay.handlers import ReplayTab, group_frames
from vla_demo.ui.shared import toasts
from vla_demo.ui.shared.messages import Message
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import RunRequest


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> ReplayTab:
    return ReplayTab(workbench.policies, workbench.replay)


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(toasts.gr, "Warning", lambda text, **_: said.append(text))
    return said


def visitor(session: str = "a", **query: str) -> Any:
    return SimpleNamespace(session_hash=session, query_params=query)


def asked(**parts: Any) -> gr.EventData:
    return gr.EventData(None, parts)


def run(policy: str = "act", **parts: Any) -> gr.EventData:
    return asked(**{"run": "r1", "policy": policy, "variant": "", "episode": 0, "seed": 0, **parts})


def kinds(messages: Iterator[Message]) -> list[str]:
    return [message["kind"] for message in messages]


def test_a_visit_opens_with_one_message_that_holds_all_the_page_needs(tab: ReplayTab) -> None:
    (view,) = tab.visit(visitor(episode="2"))
    assert view["recording"]["index"] == 2
    assert [policy["id"] for policy in view["policies"]] == ["act", "smolvla"]
    assert view["recording"]["cameras"][0]["url"] == "gradio_api/file=/videos/top.mp4"


def test_where_no_policy_is_bundled_the_episodes_are_shown_and_how_to_get_one(
    tab: ReplayTab, workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench.policies, "bundled", dict)
    (view,) = tab.visit(visitor())
    assert view["missing"] == [NO_DEMO] and view["policies"] == [] and view["recording"]
    assert (view["view"]["policy"], view["view"]["open"]) == ("", False)


def test_without_episodes_the_page_says_why_and_no_toast_repeats_it(
    tab: ReplayTab, workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def episodes() -> None:
        raise MissingPiece(NO_DEMO)

    monkeypatch.setattr(workbench.replay, "episodes", episodes)
    (failed,) = tab.visit(visitor())
    assert (failed["kind"], failed["what"], failed["why"]) == ("failed", "view", NO_DEMO)


def test_a_visit_with_a_bad_link_complains_and_shows_the_default(tab: ReplayTab, complaints: list[str]) -> None:
    (view,) = tab.visit(visitor(episode="99"))
    assert view["recording"]["index"] == 0
    assert len(complaints) == 1


def test_opening_a_policy_streams_a_sketch_then_progress_then_the_strip(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    workbench.policies.opened.clear()
    heard = tab.open_policy(asked(run="o1", source="smolvla", variant=None), visitor())
    assert [next(heard)["kind"], next(heard)["kind"]] == ["sketch", "progress"]
    workbench.policies.opened.set()
    assert kinds(heard) == ["policy"]


def test_a_variant_the_policy_lacks_becomes_fp32_with_a_toast(tab: ReplayTab, complaints: list[str]) -> None:
    *_, strip = tab.open_policy(asked(run="o1", source="act", variant="llm=int8"), visitor())
    assert [stage["choice"] for stage in strip["policy"]["stages"]] == ["fp32", "fp32"]
    assert "act has no stage llm" in complaints[0]


def test_a_run_streams_progress_traces_and_a_report(tab: ReplayTab) -> None:
    heard = list(tab.run_variant(run(), visitor()))
    assert heard[0]["kind"] == "progress"
    assert heard[-1]["kind"] == "report"
    traces = [message for message in heard if message["kind"] == "steps"]
    assert traces[0]["start"] == 0
    assert sum(len(message["predicted"][0]) for message in traces) == FRAMES


def test_stop_reports_on_what_ran_and_ends_the_run(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    heard = tab.run_variant(run(), visitor())
    while next(heard)["kind"] != "steps":
        pass
    report = tab.stop_run(asked(run="r1"), visitor())
    assert kinds(heard) == []  # the stream ends without a second report
    assert report["kind"] == "report"
    assert report["how"].startswith("Stopped after 1 of")
    assert workbench.replay.runs[0].stopped.is_set()
    assert workbench.replay.runs[0].closed.wait(30)


def test_stop_of_one_visitor_leaves_the_other_running(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    first, second = tab.run_variant(run(), visitor("a")), tab.run_variant(run(run="r2"), visitor("b"))
    for heard in (first, second):
        while next(heard)["kind"] != "steps":
            pass
    tab.stop_run(asked(run="r1"), visitor("a"))
    assert kinds(second)[-1] == "report"
    assert not workbench.replay.runs[1].stopped.is_set() or workbench.replay.runs[1].closed.is_set()


def test_a_late_stop_does_not_hit_the_next_run(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    heard = tab.run_variant(run(run="r2"), visitor())
    while next(heard)["kind"] != "steps":
        pass
    tab.stop_run(asked(run="r1"), visitor())
    assert not workbench.replay.runs[0].stopped.is_set()


def test_stop_before_the_first_frame_has_nothing_to_report(tab: ReplayTab) -> None:
    heard = tab.run_variant(run(), visitor())
    next(heard)
    assert "kind" not in tab.stop_run(asked(run="r1"), visitor())


def test_a_late_stop_does_not_hit_the_preparation_begun_since(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    workbench.policies.opened.clear()
    heard = tab.open_policy(asked(run="o2", source="act", variant=None), visitor())
    next(heard)
    tab.stop_run(asked(run="o1"), visitor())
    workbench.policies.opened.set()
    assert kinds(heard)[-1] == "policy"


def test_stop_ends_a_preparation_without_a_word(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    workbench.policies.opened.clear()
    heard = tab.open_policy(asked(run="o1", source="act", variant=None), visitor())
    assert [next(heard)["kind"], next(heard)["kind"]] == ["sketch", "progress"]
    tab.stop_run(asked(run="o1"), visitor())
    assert kinds(heard) == []


def test_a_new_run_of_a_session_ends_its_old_one(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    old = tab.run_variant(run(), visitor())
    while next(old)["kind"] != "steps":
        pass
    list(tab.run_variant(run(run="r2"), visitor()))
    assert workbench.replay.runs[0].stopped.is_set()
    assert kinds(old) == []


def test_a_closed_tab_ends_its_run_and_is_forgotten(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    heard = tab.run_variant(run(), visitor())
    while next(heard)["kind"] != "steps":
        pass
    tab.leave(visitor())
    assert workbench.replay.runs[0].stopped.is_set()
    assert not tab.sessions


def test_an_error_of_ours_is_a_toast_in_its_own_words_with_nothing_to_execute(tab: ReplayTab) -> None:
    heard = tab.open_policy(asked(run="o1", source="<b>nowhere</b>", variant=None), visitor())
    assert next(heard)["kind"] == "failed"
    with pytest.raises(gr.Error) as toast:
        next(heard)
    assert toast.value.message == "&lt;b&gt;nowhere&lt;/b&gt; is neither a folder nor a policy on the Hub; bundled are act and smolvla"


def test_a_bug_frees_the_page_and_stays_in_the_log(tab: ReplayTab, workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench.replay, "episode", lambda _: 1 / 0)
    heard = tab.open_episode(asked(index=0))
    assert next(heard)["what"] == "episode"
    with pytest.raises(gr.Error, match="its log says what") as toast:
        next(heard)
    assert isinstance(toast.value.__cause__, ZeroDivisionError)


def steps(count: int, chunk_size: int) -> Iterator[Preparing | ReplayStep]:
    body = FakeWorkbench(Path()).replay.run(RunRequest("act", Variant.reference(package("act").spec), 0, 0))
    yield from [step for step, _ in zip(body.steps(), range(count + 3), strict=False)]


def test_the_first_and_the_last_frame_of_a_chunk_are_never_held_back() -> None:
    groups = [group for group in group_frames(steps(100, 50), 50) if isinstance(group, list)]
    firsts_sent_alone = [group[-1].frame for group in groups if group[-1].starts_chunk]
    ends = {group[-1].frame for group in groups}
    assert firsts_sent_alone == [0, 50]
    assert {49, 99} <= ends


def test_frames_are_grouped_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "BATCH_SECONDS", 60.0)
    groups = [group for group in group_frames(steps(100, 50), 50) if isinstance(group, list)]
    assert [step.frame for group in groups for step in group] == list(range(100))
    assert len(groups) == 4


def test_a_slow_policy_is_reported_on_from_another_thread_while_it_thinks(tab: ReplayTab, workbench: FakeWorkbench) -> None:
    workbench.gate.clear()
    heard = list[str]()
    listener = threading.Thread(target=lambda: heard.extend(one["kind"] for one in tab.run_variant(run(), visitor())))
    listener.start()
    wait_until(lambda: "steps" in heard)
    assert tab.stop_run(asked(run="r1"), visitor())["kind"] == "report"
    listener.join(30)
    assert not listener.is_alive()
    assert len(fake_episode(0)) == FRAMES > workbench.replay.runs[0].report().frames
