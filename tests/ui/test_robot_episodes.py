"""The recorded episodes behind the page: who may record, what the list says, one judgement for the table and the episode."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.ui.fake_episodes import WHOLE
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_replay import asked
from tests.ui.test_robot import connected, running, say
from vla_demo.core.extras import install
from vla_demo.ui.robot.episodes import EpisodesPanel, row
from vla_demo.ui.robot.handlers import RobotTab


@pytest.fixture
def workbench(tmp_path: Path) -> FakeWorkbench:
    return FakeWorkbench(tmp_path)


@pytest.fixture
def tab(workbench: FakeWorkbench) -> RobotTab:
    return RobotTab(workbench.policies, workbench.robot)


@pytest.fixture
def recorded(tab: RobotTab) -> EpisodesPanel:
    return EpisodesPanel(tab.link)


def ask(recorded: EpisodesPanel, key: str, verb: str = "list", **more: Any) -> dict[str, Any]:
    return recorded.episodes({"key": key, "verb": verb, **more})


def test_nothing_is_recorded_unless_it_was_asked_for(tab: RobotTab, recorded: EpisodesPanel) -> None:
    key = running(tab)
    tab.stop({"key": key})
    found = ask(recorded, key)
    assert (found["on"], found["rows"], found["where"]) == (False, [], "Tasks are not recorded.")


def test_a_recorded_task_is_listed_with_its_judgement_and_judged_once_for_both(
    tab: RobotTab, recorded: EpisodesPanel, workbench: FakeWorkbench
) -> None:
    key = running(tab)
    assert ask(recorded, key, "record", on=True)["on"]
    tab.stop({"key": key})
    assert say(tab, key, "missed") == ""
    found = ask(recorded, key)
    assert found["where"] == (
        "Each task is recorded on the board, in /var/lib/vla-board/episodes. 1 episode there, 1.5 MB of at most 8 GB."
    )
    (one,) = found["rows"]
    assert (one["length"], one["frames"], one["whole"], one["judged"]) == ("12.3 s", "369", "whole", "missed")
    assert [trial.success for trial in workbench.robot.trials] == [False]


def test_what_was_dropped_is_said_in_words() -> None:
    assert row(replace(WHOLE, old_pictures=12))["whole"] == "incomplete: the pictures of 12 frames were dropped, older ones stand there"
    assert row(replace(WHOLE, cut_frames=1))["whole"] == "incomplete: 1 frame dropped at its end"
    assert not row(replace(WHOLE, cut_frames=1))["complete"] and row(WHOLE)["complete"]


def test_a_board_that_cannot_record_says_so_and_stays_off(tab: RobotTab, recorded: EpisodesPanel, workbench: FakeWorkbench) -> None:
    key = connected(tab)
    workbench.board.recordings.refuses = f"this board cannot record: it lacks av; there, {install('record')}"
    assert install("record") in ask(recorded, key, "record", on=True)["problem"]
    assert not ask(recorded, key)["on"]


def test_a_viewer_sees_the_list_and_changes_nothing(tab: RobotTab, recorded: EpisodesPanel, workbench: FakeWorkbench) -> None:
    connected(tab)
    viewer = connected(tab, "b")
    workbench.board.recordings.kept.append(WHOLE)
    assert len(ask(recorded, viewer)["rows"]) == 1
    for verb, more in (("record", {"on": True}), ("forget", {"ids": [WHOLE.id]})):
        assert "lease" in ask(recorded, viewer, verb, **more)["problem"]
    assert "connect again" in ask(recorded, "guessed")["problem"] and "no command 'fly'" in ask(recorded, viewer, "fly")["problem"]
    assert workbench.board.recordings.kept == [WHOLE]


def test_a_download_ends_with_a_zip_and_the_command_that_opens_it(tab: RobotTab, recorded: EpisodesPanel, workbench: FakeWorkbench) -> None:
    key = connected(tab)
    workbench.board.recordings.kept.append(WHOLE)
    *_, last = recorded.download_episodes(asked(run="d1", key=key, ids=[WHOLE.id]))
    assert last["kind"] == "downloaded" and last["archive"].endswith("bench-twin.zip") and "1 episode, 369 frames" in last["text"]
    assert last["command"] == f"vla-demo replay act --dataset {workbench.folder / 'bench-twin'} --episode 0"
    with pytest.raises(gr.Error, match="at least one"):
        list(recorded.download_episodes(asked(run="d2", key=key, ids=[])))
