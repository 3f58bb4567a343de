"""The Robot tab behind the page: who may command, who may stop, what a closed tab leaves behind, and the strip's sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import act_spec
from tests.ui.fake_robot import FACTS, TOKEN, FakeRobot
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_replay import asked, visitor
from vla_demo.ui.robot import words as robot_words
from vla_demo.ui.robot.handlers import RobotTab

HOW = {"mode": "async", "instruction": ""}


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


@pytest.fixture
def tab(workbench: FakeWorkbench) -> RobotTab:
    return RobotTab(workbench.policies, workbench.robot)


def connected(tab: RobotTab, who: str = "a") -> str:
    """The key of a new visitor of the simulated board."""
    return str(list(tab.open_simulated(asked(run="c1"), visitor(who)))[-1]["key"])


def say(tab: RobotTab, key: str, verb: str, **more: Any) -> str:
    return str(tab.command({"key": key, "verb": verb, **more})["problem"])


def news(tab: RobotTab, key: str, tick: int = 0, seen: float = 0.0) -> dict[str, Any]:
    return tab.watch({"key": key, "tick": tick, "seen": seen})


def running(tab: RobotTab) -> str:
    key = connected(tab)
    list(tab.load_robot(asked(run="l1", key=key, source="act", variant="vision=int8,expert=int8")))
    assert [say(tab, key, "reset"), say(tab, key, "start", **HOW)] == ["", ""]
    return key


def test_a_task_goes_from_a_click_to_an_arm_that_moves(tab: RobotTab) -> None:
    key = running(tab)
    heard = [news(tab, key) for _ in range(3)][-1]
    assert (heard["state"], heard["mine"], heard["loaded"], heard["chunk"]) == ("running", True, True, 50)
    assert len(heard["ticks"]["commanded"]) == 6 and heard["ticks"]["number"] == 9
    assert set(heard["pictures"]) == {"top", "gripper", "left"}


def test_only_what_is_new_is_told_again(tab: RobotTab) -> None:
    key = running(tab)
    first = news(tab, key)
    second = news(tab, key, first["ticks"]["number"], first["seen"])
    assert len(first["ticks"]["at"]) == len(second["ticks"]["at"]) == 3
    assert second["ticks"]["at"][0] > first["ticks"]["at"][-1]


def test_who_comes_second_watches_and_may_stop_but_not_command(tab: RobotTab, workbench: FakeWorkbench) -> None:
    key, other = running(tab), connected(tab, "b")
    assert news(tab, other)["mine"] is False
    assert "lease" in say(tab, other, "start", **HOW)
    assert tab.stop({"key": other})["problem"] == ""
    assert news(tab, key)["state"] == "stopped" and len(workbench.board.stops) == 1


def test_a_takeover_is_said_in_so_many_words(tab: RobotTab, workbench: FakeWorkbench) -> None:
    key, other = connected(tab), connected(tab, "b")
    assert "commands this board; watch, or take over" in say(tab, other, "take")
    assert say(tab, other, "takeover") == ""
    assert not news(tab, key)["mine"] and news(tab, other)["mine"]


def test_closing_the_tab_stops_its_arm_and_forgets_the_visitor(tab: RobotTab, workbench: FakeWorkbench) -> None:
    running(tab)
    tab.leave(visitor("a"))
    assert workbench.board.state == "stopped" and not workbench.board.open and not tab._visitors


def test_a_closing_tab_of_somebody_else_stops_nothing(tab: RobotTab, workbench: FakeWorkbench) -> None:
    running(tab)
    connected(tab, "b")
    tab.leave(visitor("b"))
    assert workbench.board.state == "running"


@pytest.mark.parametrize("key", ["", "guessed"])
def test_without_the_key_nothing_is_told_and_nothing_done(tab: RobotTab, workbench: FakeWorkbench, key: str) -> None:
    running(tab)
    for found in (news(tab, key), tab.stop({"key": key}), tab.checks({"key": key})):
        assert found == {"problem": "this page is not connected to a board any more; connect again", "code": "connection-closed"}
    assert workbench.board.state == "running"


@pytest.mark.parametrize(("address", "token", "why"), [("1.2.3.4:1", TOKEN, "cannot be reached"), (FACTS.address, "x", "wants its token")])
def test_a_board_that_is_not_there_or_refuses_says_so(tab: RobotTab, address: str, token: str, why: str) -> None:
    heard = tab.open_board(asked(run="c1", address=address, token=token, certificate=""), visitor())
    *_, last = heard
    assert last["kind"] == "failed" and why in last["why"] and not tab._visitors


def test_a_hosted_page_drives_nothing_and_says_why(tab: RobotTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/somewhere")
    (setting,) = tab.visit(visitor())
    assert setting["hosted"] and "hosted as a Space" in setting["missing"][0]
    (refused,) = tab.open_simulated(asked(run="c1"), visitor())
    assert refused["kind"] == "failed" and "hosted as a Space" in refused["why"]


def test_the_checks_say_what_is_not_as_it_must_be(tab: RobotTab) -> None:
    key = connected(tab)
    found = tab.checks({"key": key})
    assert not found["ok"] and [fact["name"] for fact in found["facts"] if not fact["ok"]] == ["Joints and cameras", "Policy"]
    list(tab.load_robot(asked(run="l1", key=key, source="act", variant="")))
    assert tab.checks({"key": key})["ok"]


def test_another_arm_s_policy_and_old_pictures_are_seen_in_the_checks(workbench: FakeWorkbench) -> None:
    view = replace(FakeRobot(workbench.board, "me").watch(), picture_age=4.0)
    spec = replace(act_spec(), joint_names=("elbow",), cameras=("wrist",))
    found = {fact["name"]: fact for fact in robot_words.checks(view, FACTS, spec)}
    assert not found["Camera age"]["ok"] and "4.0 s old" in found["Camera age"]["text"]
    assert "lacks the camera wrist" in found["Joints and cameras"]["text"]


def test_the_strip_gives_figures_with_their_counts(tab: RobotTab) -> None:
    key = running(tab)
    cells = {cell["name"]: cell for cell in [news(tab, key) for _ in range(2)][-1]["cells"]}
    assert (cells["policy"]["value"], cells["control"]["value"], cells["control"]["about"]) == (
        f"{act_spec().checkpoint}, INT8",
        "30.0 Hz",
        "p95 2 ms late, n 6",
    )
    assert (cells["inference"]["value"], cells["inference"]["about"]) == ("250 ms, 295 ms", "p50, p95 of 1.67 s, n 2")
    assert (cells["queue"]["value"], cells["board"]["value"], cells["lease"]["value"]) == ("44 of 50", "48 °C, 210 MB", "you")


@pytest.mark.parametrize(("source", "stages", "modes", "reads"), [("act", 2, 2, False), ("smolvla", 3, 3, True)])
def test_a_policy_shows_its_stages_its_modes_and_whether_it_reads(tab: RobotTab, source: str, stages: int, modes: int, reads: bool) -> None:
    *_, found = tab.choose_robot(asked(run="p1", source=source))
    offered = [mode for mode in found["modes"] if not mode["problem"]]
    assert (found["kind"], len(found["policy"]["stages"]), len(offered), found["reads"]) == ("choice", stages, modes, reads)


def test_the_task_starts_as_it_was_chosen_and_is_judged_so(tab: RobotTab, workbench: FakeWorkbench) -> None:
    key = connected(tab)
    list(tab.load_robot(asked(run="l1", key=key, source="act", variant="vision=int8,expert=fp32")))
    say(tab, key, "reset")
    say(tab, key, "start", mode="sync", instruction="Put it there.")
    assert workbench.board.how == ("sync", "Put it there.") and workbench.board.variant == "vision=int8,expert=fp32"
    say(tab, key, "pause")
    assert say(tab, key, "succeeded") == ""
    assert (workbench.robot.trials[-1].mode, workbench.robot.trials[-1].variant) == ("sync", "vision=int8,expert=fp32")


def test_an_unknown_command_is_named(tab: RobotTab) -> None:
    assert "no command 'fly'" in say(tab, connected(tab), "fly")


def test_a_task_is_judged_after_it_has_ended_by_whoever_started_it_and_can_be_corrected(tab: RobotTab, workbench: FakeWorkbench) -> None:
    key, other = running(tab), connected(tab, "b")
    assert "no task to judge" in say(tab, key, "succeeded") and news(tab, key)["judge"] is None
    tab.stop({"key": key})
    assert news(tab, key)["judge"] == {"said": None} and news(tab, other)["judge"] is None
    assert "no task to judge" in say(tab, other, "succeeded")
    assert [say(tab, key, verb) for verb in ("missed", "succeeded")] == ["", ""]
    assert news(tab, key)["judge"] == {"said": True} and len({trial.task for trial in workbench.robot.trials}) == 1
    (row,) = tab.rates({})["rows"]
    assert (row["board"], row["count"], row["interval"]) == ("measured on board bench twin (simulated)", "1 of 1", "21 % to 100 %")
    assert row["policy"].startswith("ACT") and row["loop"]["latency"] == "board:bench twin"


def test_a_judgement_is_of_what_ran_whatever_was_sent_since(tab: RobotTab, workbench: FakeWorkbench) -> None:
    key = running(tab)
    tab.stop({"key": key})
    list(tab.load_robot(asked(run="l2", key=key, source="act", variant="vision=fp32,expert=fp32")))
    say(tab, key, "missed")
    assert workbench.robot.trials[-1].variant == "vision=int8,expert=int8"


def test_one_reads_of_oneself_as_you(tab: RobotTab) -> None:
    key, other = running(tab), connected(tab, "b")
    tab.stop({"key": key})
    assert "you" in news(tab, key)["reason"] and "Visitor" in news(tab, other)["reason"]
