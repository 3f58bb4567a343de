"""Batches that somebody watches: one at a time, stopped at once, and films kept for the next who asks."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tiny_packages import tiny_act_package
from vla_demo.core.errors import InvalidInput, Stopped
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest
from vla_demo.workbench.rollout.batch_run import HOSTED_JOBS, MOST_FILMS, BatchRun, _jobs, film_folder, film_of
from vla_demo.workbench.rollout.run import RolloutStep


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch takes a process for each processor; each of them loads MuJoCo anew."""
    monkeypatch.setattr("vla_demo.workbench.rollout.batch_run.usable_cores", lambda: 1)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("tiny") / "package")


def request(package: PolicyPackage, starts: str = "2-fresh", patience: float = 0.4) -> RolloutRequest:
    return RolloutRequest(Variant.reference(package.spec), given_latency("100"), starts=starts, patience=patience)


def test_progress_start_by_start_and_then_the_report(package: PolicyPackage) -> None:
    *said, report = BatchRun(package, request(package), threading.Semaphore(1)).steps()
    assert [(step.done, step.of, step.successes) for step in said if isinstance(step, RolloutStep)] == [(0, 2, 0), (1, 2, 0), (2, 2, 0)]
    assert isinstance(report, RolloutReport) and report.n == 2


def test_it_stops_in_the_middle_of_a_start_and_gives_its_place_back(package: PolicyPackage) -> None:
    places = threading.Semaphore(1)
    run = BatchRun(package, request(package, "test", patience=500.0), places)
    steps = run.steps()
    assert isinstance(next(steps), RolloutStep)
    threading.Timer(1.0, run.stop).start()
    began = time.monotonic()
    with pytest.raises(Stopped, match="what was finished is kept"):
        list(steps)
    assert time.monotonic() - began < 20  # a start of 500 s would take longer
    assert places.acquire(timeout=0)


def test_a_second_batch_waits_for_the_first_and_says_so(package: PolicyPackage) -> None:
    places = threading.Semaphore(0)
    run = BatchRun(package, request(package), places)
    steps = run.steps()
    waiting = next(steps)
    assert isinstance(waiting, Preparing) and "Waiting for another batch" in waiting.text
    places.release()
    assert isinstance(list(steps)[-1], RolloutReport)
    run = BatchRun(package, request(package), threading.Semaphore(0))
    run.stop()
    assert all(isinstance(step, Preparing) for step in run.steps())


def test_a_film_is_made_once_and_the_oldest_make_room(package: PolicyPackage) -> None:
    asked = request(package)
    number = Batch.of(package, asked).starts[0].number
    *said, film = film_of(package, asked, number, 30)
    assert isinstance(film, Path) and film.parent == film_folder() and len(said) > 3
    assert list(film_of(package, asked, number, 30)) == [film]
    old = [film_folder() / f"old-{n}.mp4" for n in range(MOST_FILMS)]
    for place, one in enumerate(old):
        one.touch()
        os.utime(one, (place, place))
    *_, other = film_of(package, replace(asked, mode="sync"), number, 30)
    assert len(list(film_folder().glob("*.mp4"))) == MOST_FILMS and not old[0].exists() and not old[1].exists() and film.exists()
    assert other != film


def test_a_start_of_another_batch_has_no_film_here(package: PolicyPackage) -> None:
    with pytest.raises(InvalidInput, match="start 5 is not in this batch"):
        next(film_of(package, request(package), 5, 30))


def test_where_many_share_a_machine_a_batch_takes_two_processes_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vla_demo.workbench.rollout.batch_run.usable_cores", lambda: 16)
    assert _jobs() == 16
    monkeypatch.setenv("SPACE_ID", "somebody/space")
    assert _jobs() == HOSTED_JOBS == 2
