"""The Trap tab behind the page: what is said of a report, and a tab that computes for one visitor without disturbing another."""

import json
from pathlib import Path

import pytest

from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.sample_report import sample_report
from tests.ui.test_replay import asked, kinds, visitor
from vla_demo.ui.trap.handlers import TrapTab, report_message
from vla_demo.ui.trap.words import computed


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> TrapTab:
    return TrapTab(workbench.policies, workbench.sensitivity)


def test_the_small_print_says_when_where_and_from_how_much() -> None:
    assert computed(sample_report("act")) == (
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
