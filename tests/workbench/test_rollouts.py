"""Rollouts in the twin: repeatable bit for bit, kept start by start, and paired across variants."""

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tiny_packages import tiny_act_package, tiny_smolvla_package
from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import CACHE_VARIABLE
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import RolloutReport, paired
from vla_demo.twin.protocol import fresh_training_starts
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.run import RolloutRequest, RolloutStep, resolve_latency, roll_out
from vla_demo.workbench.rollout.worker import RolloutJob, try_start


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("tiny") / "package")


def request(package: PolicyPackage, **settings: object) -> RolloutRequest:
    plain = RolloutRequest(Variant.reference(package.spec), given_latency("100"), starts="2-fresh", patience=1.0)
    return replace(plain, **settings)  # type: ignore[arg-type]


def rolled(package: PolicyPackage, **settings: object) -> tuple[list[str], RolloutReport]:
    *said, report = roll_out(package, request(package, **settings))
    assert isinstance(report, RolloutReport)
    return [step.text for step in said if isinstance(step, Preparing)], report


def job(package: PolicyPackage, **settings: object) -> RolloutJob:
    plain = RolloutJob(str(package.folder), "", "async", 0.1, 30.0, 0.5, "weighted_average", 8, 0, 1.0)
    return replace(plain, **settings)  # type: ignore[arg-type]


def nobody(*_: object) -> None:
    raise AssertionError("nobody may be tried any more")


def test_the_same_seed_and_latency_give_the_same_rollout_bit_for_bit(package: PolicyPackage) -> None:
    start = fresh_training_starts(1)[0]
    assert try_start(job(package), start) == try_start(job(package), start)
    assert try_start(job(package), start) != try_start(job(package, seed=1), start)
    assert try_start(job(package), start) != try_start(job(package, latency=0.2), start)


def test_what_was_tried_is_kept_and_not_tried_again(package: PolicyPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = rolled(package)
    monkeypatch.setattr("vla_demo.workbench.rollout.run.try_start", nobody)
    said, again = rolled(package)
    assert again == first and "2 of 2 were tried before" in said[0]
    with pytest.raises(AssertionError, match="nobody may be tried"):
        rolled(package, seed=5)


def test_the_report_says_what_the_command_line_promises(package: PolicyPackage) -> None:
    found = rolled(package, mode="seamfree")[1].as_json()
    assert found["n"] == 2 and found["successes"] == 0 and found["wilson95"][0] == 0
    assert found["latency_ms"] == 100 and 0 < found["idle_share"] < 1 and found["starved_ticks"] > 0 and found["jerk"] is not None


def test_the_queue_depth_is_told_tick_by_tick_where_it_is_asked_for(package: PolicyPackage) -> None:
    report = rolled(package)[1]
    assert "queue_depths" not in report.as_json()["starts"][0]
    for start in report.as_json(traces=True)["starts"]:
        assert len(start["queue_depths"]) == 30 and max(start["queue_depths"]) == 7
    assert report.as_json()["deadline_misses"] == 0 and 0 < report.as_json()["queue_depth"] < 7


def test_processes_of_their_own_bring_the_same_rows(package: PolicyPackage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = rolled(package)[1]
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    *_, apart = roll_out(package, request(package), jobs=2)
    assert apart == here


def test_a_batch_that_is_stopped_ends_soon_and_goes_on_where_it_was(
    package: PolicyPackage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    wanted = request(package, starts="3-fresh", patience=2.0)
    steps = roll_out(package, wanted, jobs=1)
    next(steps), next(steps)
    began = time.monotonic()
    steps.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 15
    first = next(roll_out(package, wanted))
    assert isinstance(first, RolloutStep) and (first.done, first.of) in ((1, 3), (2, 3)) and "were tried before" in first.text


def test_two_variants_are_compared_in_pairs_and_never_across_other_starts(package: PolicyPackage) -> None:
    one, other = rolled(package)[1], rolled(package, seed=1)[1]
    assert paired(one, other, ("a", "b")).verdict == "not distinguishable"
    with pytest.raises(InvalidInput, match="same starts"):
        paired(one, rolled(package, starts="1-fresh")[1], ("a", "b"))


@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({"mode": "fast"}, "sync, async"),
        ({"actions_per_chunk": 99}, "1 to that"),
        ({"patience": 0.0}, "more than 0"),
        ({"starts": "train"}, "test, validation, all"),
        *(({"fps": wrong}, "10, 20, 30, 50 and 60") for wrong in (45.0, 0.0, math.nan, -30.0)),
        ({"threshold": 2.0}, "threshold 2 is out of range; valid: 0 to 1"),
    ],
)
def test_impossible_requests_are_refused_with_what_is_possible(package: PolicyPackage, settings: dict[str, object], valid: str) -> None:
    with pytest.raises(InvalidInput, match=valid):
        rolled(package, **settings)


def test_a_policy_without_denoising_has_no_seam_free_mode(tmp_path: Path) -> None:
    package = tiny_act_package(tmp_path / "act")
    with pytest.raises(InvalidInput, match="sync and async are valid"):
        next(roll_out(package, request(package, mode="seamfree")))


def test_a_latency_measured_here_says_where_and_over_how_many(package: PolicyPackage) -> None:
    found = resolve_latency("measured", package, Variant.reference(package.spec))
    assert found.kind == "measured" and found.seconds > 0 and "median of 5" in found.about
