"""Judged tasks: kept one by one, counted for each board, package and variant apart."""

from dataclasses import replace
from pathlib import Path

import pytest

from vla_demo.core.errors import VlaDemoError
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.robot.trials import RobotTrial, keep_trial, robot_rates

TRIAL = RobotTrial("arm 1", "so101", "act", "vision=fp32,expert=fp32", "d7a8", True, (0.2, 0.4))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path))
    return tmp_path


def test_a_rate_comes_with_its_count_its_interval_and_what_the_board_measured() -> None:
    for success in (True, True, False):
        keep_trial(replace(TRIAL, success=success))
    (rate,) = robot_rates()
    assert (rate.successes, rate.n, rate.interval) == (2, 3, wilson_interval(2, 3))
    assert (rate.inference_s, rate.inferences) == (pytest.approx(0.3), 6)


@pytest.mark.parametrize("other", [{"board": "arm 2"}, {"variant": "vision=int8,expert=int8"}, {"package": "ffff"}])
def test_what_differs_is_counted_apart(other: dict[str, str]) -> None:
    keep_trial(TRIAL)
    keep_trial(replace(TRIAL, **other))  # type: ignore[arg-type]
    assert [rate.n for rate in robot_rates()] == [1, 1]


def test_nothing_judged_is_no_rate_and_a_damaged_file_is_named(cache: Path) -> None:
    assert robot_rates() == []
    (cache / "robot").mkdir()
    (cache / "robot" / "trials.jsonl").write_text("{}\n")
    with pytest.raises(VlaDemoError, match=r"trials\.jsonl is damaged"):
        robot_rates()


def test_a_correction_takes_the_place_of_what_was_said_of_that_task() -> None:
    for task, success in (("a", True), ("b", True), ("a", False)):
        keep_trial(replace(TRIAL, task=task, success=success))
    (rate,) = robot_rates()
    assert (rate.successes, rate.n) == (1, 2)


def test_what_an_older_version_kept_is_read(cache: Path) -> None:
    keep_trial(TRIAL)
    file = cache / "robot" / "trials.jsonl"
    file.write_text(file.read_text().replace(', "task": ""', ""))
    assert robot_rates()[0].n == 1
