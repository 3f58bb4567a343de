"""The Robot tab behind the page: who may command, who may stop, what a closed tab leaves behind, and the strip's sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import act_spec
from tests.ui.fake_bench import FakeBench
from tests.ui.fake_robot import FACTS, TOKEN, FakeRobot
from tests.ui.test_replay import asked, visitor
from vla_demo.ui.robot import words as robot_words
from vla_demo.ui.robot.handlers import RobotDesk

HOW = {"mode": "async", "instruction": ""}


@pytest.fixture
def bench() -> FakeBench:
    return FakeBench(Path("/videos"))


@pytest.fixture
def desk(bench: FakeBench) -> RobotDesk:
    return RobotDesk(bench)


def connected(desk: RobotDesk, who: str = "a") -> str:
    """The key of a new visitor of the simulated board."""
    return str(list(desk.open_simulated(asked(run="c1"), visitor(who)))[-1]["key"])


def say(desk: RobotDesk, key: str, verb: str, **more: Any) -> str:
    return str(desk.command({"key": key, "verb": verb, **more})["problem"])


def news(desk: RobotDesk, key: str, tick: int = 0, seen: float = 0.0) -> dict[str, Any]:
    return desk.watch({"key": key, "tick": tick, "seen": seen})


def running(desk: RobotDesk) -> str:
    key = connected(desk)
    list(desk.load_robot(asked(run="l1", key=key, source="act", variant="vision=int8,expert=int8")))
    assert [say(desk, key, "reset"), say(desk, key, "start", **HOW)] == ["", ""]
    return key


def test_a_task_goes_from_a_click_to_an_arm_that_moves(desk: RobotDesk) -> None:
    key = running(desk)
    heard = [news(desk, key) for _ in range(3)][-1]
    assert (heard["state"], heard["mine"], heard["loaded"], heard["chunk"]) == ("running", True, True, 50)
    assert len(heard["ticks"]["commanded"]) == 6 and heard["ticks"]["number"] == 9
    assert set(heard["pictures"]) == {"top", "gripper", "left"}


def test_only_what_is_new_is_told_again(desk: RobotDesk) -> None:
    key = running(desk)
    first = news(desk, key)
    second = news(desk, key, first["ticks"]["number"], first["seen"])
    assert len(first["ticks"]["at"]) == len(second["ticks"]["at"]) == 3
    assert second["ticks"]["at"][0] > first["ticks"]["at"][-1]


def test_who_comes_second_watches_and_may_stop_but_not_command(desk: RobotDesk, bench: FakeBench) -> None:
    key, other = running(desk), connected(desk, "b")
    assert news(desk, other)["mine"] is False
    assert "lease" in say(desk, other, "start", **HOW)
    assert desk.stop({"key": other})["problem"] == ""
    assert news(desk, key)["state"] == "stopped" and len(bench.board.stops) == 1


def test_a_takeover_is_said_in_so_many_words(desk: RobotDesk, bench: FakeBench) -> None:
    key, other = connected(desk), connected(desk, "b")
    assert "commands this board; watch, or take over" in say(desk, other, "take")
    assert say(desk, other, "takeover") == ""
    assert not news(desk, key)["mine"] and news(desk, other)["mine"]


def test_closing_the_tab_stops_its_arm_and_forgets_the_visitor(desk: RobotDesk, bench: FakeBench) -> None:
    running(desk)
    desk.leave(visitor("a"))
    assert bench.board.state == "stopped" and not bench.board.open and not desk._visitors


def test_a_closing_tab_of_somebody_else_stops_nothing(desk: RobotDesk, bench: FakeBench) -> None:
    running(desk)
    connected(desk, "b")
    desk.leave(visitor("b"))
    assert bench.board.state == "running"


@pytest.mark.parametrize("key", ["", "guessed"])
def test_without_the_key_nothing_is_told_and_nothing_done(desk: RobotDesk, bench: FakeBench, key: str) -> None:
    running(desk)
    for found in (news(desk, key), desk.stop({"key": key}), desk.checks({"key": key})):
        assert found == {"problem": "this page is not connected to a board any more; connect again", "code": "connection-closed"}
    assert bench.board.state == "running"


@pytest.mark.parametrize(("address", "token", "why"), [("1.2.3.4:1", TOKEN, "cannot be reached"), (FACTS.address, "x", "wants its token")])
def test_a_board_that_is_not_there_or_refuses_says_so(desk: RobotDesk, address: str, token: str, why: str) -> None:
    heard = desk.open_board(asked(run="c1", address=address, token=token, certificate=""), visitor())
    *_, last = heard
    assert last["kind"] == "failed" and why in last["why"] and not desk._visitors


def test_a_hosted_page_drives_nothing_and_says_why(desk: RobotDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/somewhere")
    (setting,) = desk.visit()
    assert "hosted as a Space" in setting["hosted"]
    (refused,) = desk.open_simulated(asked(run="c1"), visitor())
    assert refused["kind"] == "failed" and "hosted as a Space" in refused["why"]


def test_the_checks_say_what_is_not_as_it_must_be(desk: RobotDesk) -> None:
    key = connected(desk)
    found = desk.checks({"key": key})
    assert not found["ok"] and [fact["name"] for fact in found["facts"] if not fact["ok"]] == ["Joints and cameras", "Policy"]
    list(desk.load_robot(asked(run="l1", key=key, source="act", variant="")))
    assert desk.checks({"key": key})["ok"]


def test_another_arm_s_policy_and_old_pictures_are_seen_in_the_checks(bench: FakeBench) -> None:
    view = replace(FakeRobot(bench.board, "me").watch(), picture_age=4.0)
    spec = replace(act_spec(), joint_names=("elbow",), cameras=("wrist",))
    found = {fact["name"]: fact for fact in robot_words.checks(view, FACTS, spec)}
    assert not found["Camera age"]["ok"] and "4.0 s old" in found["Camera age"]["text"]
    assert "lacks the camera wrist" in found["Joints and cameras"]["text"]


def test_the_strip_gives_figures_with_their_counts(desk: RobotDesk) -> None:
    key = running(desk)
    cells = {cell["name"]: cell for cell in [news(desk, key) for _ in range(2)][-1]["cells"]}
    assert (cells["policy"]["value"], cells["control"]["value"], cells["control"]["about"]) == (
        f"{act_spec().checkpoint}, INT8",
        "30.0 Hz",
        "p95 2 ms late, n 6",
    )
    assert (cells["inference"]["value"], cells["inference"]["about"]) == ("250 ms, 295 ms", "p50, p95 of 1.67 s, n 2")
    assert (cells["queue"]["value"], cells["board"]["value"], cells["lease"]["value"]) == ("44 of 50", "48 °C, 210 MB", "you")


@pytest.mark.parametrize(("source", "stages", "modes", "reads"), [("act", 2, 2, False), ("smolvla", 3, 3, True)])
def test_a_policy_shows_its_stages_its_modes_and_whether_it_reads(
    desk: RobotDesk, source: str, stages: int, modes: int, reads: bool
) -> None:
    *_, found = desk.choose_robot(asked(run="p1", source=source))
    offered = [mode for mode in found["modes"] if not mode["problem"]]
    assert (found["kind"], len(found["policy"]["stages"]), len(offered), found["reads"]) == ("choice", stages, modes, reads)


def test_the_task_starts_as_it_was_chosen_and_is_judged_so(desk: RobotDesk, bench: FakeBench) -> None:
    key = connected(desk)
    list(desk.load_robot(asked(run="l1", key=key, source="act", variant="vision=int8,expert=fp32")))
    say(desk, key, "reset")
    say(desk, key, "start", mode="sync", instruction="Put it there.")
    assert bench.board.how == ("sync", "Put it there.") and bench.board.variant == "vision=int8,expert=fp32"
    say(desk, key, "pause")
    assert say(desk, key, "succeeded") == ""
    assert (bench.trials[-1].mode, bench.trials[-1].variant) == ("sync", "vision=int8,expert=fp32")


def test_an_unknown_command_is_named(desk: RobotDesk) -> None:
    assert "no command 'fly'" in say(desk, connected(desk), "fly")


def test_a_task_is_judged_after_it_has_ended_by_whoever_started_it_and_can_be_corrected(desk: RobotDesk, bench: FakeBench) -> None:
    key, other = running(desk), connected(desk, "b")
    assert "no task to judge" in say(desk, key, "succeeded") and news(desk, key)["judge"] is None
    desk.stop({"key": key})
    assert news(desk, key)["judge"] == {"said": None} and news(desk, other)["judge"] is None
    assert "no task to judge" in say(desk, other, "succeeded")
    assert [say(desk, key, verb) for verb in ("missed", "succeeded")] == ["", ""]
    assert news(desk, key)["judge"] == {"said": True} and len({trial.task for trial in bench.trials}) == 1
    (row,) = desk.rates({})["rows"]
    assert (row["board"], row["count"], row["interval"]) == ("measured on board bench twin (simulated)", "1 of 1", "21 % to 100 %")
    assert row["policy"].startswith("ACT") and row["loop"]["latency"] == "board:bench twin"


def test_a_judgement_is_of_what_ran_whatever_was_sent_since(desk: RobotDesk, bench: FakeBench) -> None:
    key = running(desk)
    desk.stop({"key": key})
    list(desk.load_robot(asked(run="l2", key=key, source="act", variant="vision=fp32,expert=fp32")))
    say(desk, key, "missed")
    assert bench.trials[-1].variant == "vision=int8,expert=int8"


def test_one_reads_of_oneself_as_you(desk: RobotDesk) -> None:
    key, other = running(desk), connected(desk, "b")
    desk.stop({"key": key})
    assert "you" in news(desk, key)["reason"] and "Visitor" in news(desk, other)["reason"]
