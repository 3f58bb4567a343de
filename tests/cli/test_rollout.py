"""`vla-demo rollout` from outside: one batch, two in pairs, videos, Ctrl-C, and what is refused before any work."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_packages import tiny_act_package, tiny_smolvla_package
from tests.waiting import wait_until
from vla_demo.__main__ import main

QUICK = ["--starts", "2-fresh", "--patience", "1", "--latency", "100"]


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_act_package(tmp_path_factory.mktemp("tiny") / "act").folder)


@pytest.mark.usefixtures("own_cache")
def test_two_modes_are_compared_in_pairs(act: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollout", act, *QUICK, "--mode", "sync", "--against-mode", "async", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["mode"], found["against"]["mode"]) == ("sync", "async") and found["n"] == found["against"]["n"] == 2
    assert found["fingerprint"]["settings"] != found["against"]["fingerprint"]["settings"]
    assert found["fingerprint"]["code"] == found["against"]["fingerprint"]["code"] and "mujoco" in found["fingerprint"]["libraries"]
    assert (
        found["paired"]["verdict"] == "not distinguishable"
        and "sync and async solved the same of the 2 starts" in found["paired"]["sentence"]
    )


@pytest.mark.usefixtures("own_cache")
def test_every_start_that_failed_becomes_a_video_and_the_table_says_where(
    act: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollout", act, *QUICK, "--against-latency", "0", "--video", str(tmp_path / "videos")]) == 0
    told = capsys.readouterr().out
    assert f"4 videos in {tmp_path / 'videos'}" in told and "0/2  (95 % interval" in told and told.count("fingerprint  ") == 2
    made = sorted(file.name for file in (tmp_path / "videos").glob("*.mp4"))
    assert len(made) == 2 and all(name.endswith("_failed.mp4") for name in made)
    assert sorted(file.name for file in (tmp_path / "videos" / "against").glob("*.mp4")) == made


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("wrong", "valid"),
    [
        (["--video", "{file}"], "videos cannot be written"),
        (["--against-mode", "async"], "would be the same"),
        (["--against-mode", "seamfree"], "sync and async are valid"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work_begins(
    act: str, tmp_path: Path, wrong: list[str], valid: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["rollout", act, *QUICK, *(text.format(file=tmp_path / "file") for text in wrong)]) == 2
    told = capsys.readouterr()
    assert valid in told.err and told.out == "" and "Rollouts" not in told.err


def test_after_ctrl_c_it_says_how_many_starts_are_kept_and_goes_on_from_there(act: str, own_cache: Path) -> None:
    command = [sys.executable, "-m", "vla_demo", "rollout", act, "--starts", "40-fresh", "--patience", "3"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: bool(list(own_cache.glob("rollouts/*/*.json"))), 120, "the first start being kept")
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: the processes hear it too
    _, told = running.communicate(timeout=60)
    kept = len(list(own_cache.glob("rollouts/*/*.json")))
    assert running.returncode == 130 and 0 < kept < 40
    assert f"{kept} of 40 starts are kept; the same command goes on from there" in told and "Traceback" not in told


@pytest.mark.usefixtures("own_cache")
def test_the_queue_depth_over_time_is_there_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = str(tiny_smolvla_package(tmp_path / "smolvla").folder)
    assert main(["rollout", package, *QUICK, "--mode", "seamfree", "--json", "--traces"]) == 0
    assert all(len(start["queue_depths"]) == 30 for start in json.loads(capsys.readouterr().out)["starts"])


@pytest.mark.parametrize(
    ("wrong", "valid"),
    [
        (["--mode", "foo"], "sync, async, seamfree"),
        (["--against-mode", "foo"], "sync, async, seamfree"),
        (["--aggregate", "foo"], "weighted_average"),
        (["--latency", "-5"], "milliseconds from 0"),
        (["--starts", "0-fresh"], "1-fresh"),
        (["--patience", "-1"], "more than 0"),
        (["--fps", "nan"], "30"),
    ],
)
def test_what_is_wrong_whatever_the_policy_is_is_refused_before_one_is_opened(
    wrong: list[str], valid: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the policy was opened")

    monkeypatch.setattr("vla_demo.workbench.rollout.plan.prepare_policy", never)
    assert main(["rollout", "act", *wrong]) == 2
    assert valid in capsys.readouterr().err


@pytest.mark.parametrize(("port", "why"), [*((port, "valid: 1 to 65535") for port in ("-5", "0", "99999")), ("x", "not a whole number")])
def test_a_port_that_is_none_is_refused_in_words(port: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["app", "--port", port])
    assert why in capsys.readouterr().err
