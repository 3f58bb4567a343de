"""Lanes that act live: the same rollout as the command line's, in step, stopped at once, a place given back."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.tiny_packages import tiny_act_package, tiny_smolvla_package
from vla_demo.core.errors import InvalidInput, PackageError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.evaluation.rollout_report import rollout_report
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest
from vla_demo.workbench.rollout.live import LaneEnd, LiveFrame, LiveRequest, LiveRollout, Shown
from vla_demo.workbench.rollout.scenes import scene, start_cards
from vla_demo.workbench.rollout.worker import try_start

SECONDS, TICKS = 0.6, 18  # simulated


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("tiny") / "package")


def lane(package: PolicyPackage, **settings: object) -> RolloutRequest:
    plain = RolloutRequest(Variant.reference(package.spec), given_latency("200"), patience=SECONDS)
    return replace(plain, **settings)  # type: ignore[arg-type]


def live(package: PolicyPackage, *lanes: RolloutRequest, places: threading.Semaphore | None = None) -> LiveRollout:
    return LiveRollout(LiveRequest("tiny", lanes, start_cards()[0].number), package, places or threading.Semaphore(1))


def shown(steps: Iterator[Preparing | Shown]) -> list[Shown]:
    return [step for step in steps if not isinstance(step, Preparing)]


@pytest.mark.parametrize("mode", ["sync", "async", "seamfree"])
def test_a_live_lane_is_the_command_line_s_rollout_bit_for_bit(package: PolicyPackage, mode: str) -> None:
    request = lane(package, mode=mode)
    batch = Batch.of(package, request)
    end = shown(live(package, request).steps())[-1]
    assert isinstance(end, LaneEnd) and not end.stopped
    alone = try_start(batch.job, batch.start(start_cards()[0].number))
    assert end.report == rollout_report(request.variant, mode, request.latency, request.fps, (alone,))


def test_another_seed_is_another_rollout(package: PolicyPackage) -> None:
    ends = [shown(live(package, lane(package, seed=seed)).steps())[-1] for seed in (0, 1)]
    assert ends[0] != ends[1]


def test_every_tick_is_shown_once_and_pictures_are_large(package: PolicyPackage) -> None:
    frames = [one for one in shown(live(package, lane(package)).steps()) if isinstance(one, LiveFrame)]
    assert [tick.tick.index for frame in frames for tick in frame.ticks] == list(range(TICKS))
    pictures = [picture for frame in frames for picture in frame.pictures.values()]
    assert {picture.shape for picture in pictures} == {(480, 640, 3)}
    assert {camera for frame in frames for camera in frame.pictures} == {"top", "gripper", "left"}


def test_what_has_not_moved_is_not_drawn_again(package: PolicyPackage) -> None:
    frames = [one for one in shown(live(package, lane(package, latency=given_latency("30000"))).steps()) if isinstance(one, LiveFrame)]
    assert not any(tick.tick.action is not None for frame in frames for tick in frame.ticks)
    assert sum(len(frame.pictures) for frame in frames[4:]) <= 2  # the desk settles, then nothing


def test_two_lanes_go_on_in_step(package: PolicyPackage) -> None:
    reached = [0.0, 0.0]
    for one in shown(live(package, lane(package, mode="sync"), lane(package)).steps()):
        if isinstance(one, LiveFrame):
            reached[one.lane] = one.ticks[-1].tick.at
            assert abs(reached[0] - reached[1]) < 0.2


def test_stop_ends_the_lanes_with_what_they_had_and_gives_the_place_back(package: PolicyPackage) -> None:
    places = threading.Semaphore(1)
    going = live(package, lane(package, patience=60.0), lane(package, patience=60.0), places=places)
    ends = list[LaneEnd]()
    for step in going.steps():
        going.stop()
        if isinstance(step, LaneEnd):
            ends.append(step)
    assert all(end.stopped and end.report.starts[0].seconds < 100 / 30 for end in ends)
    assert places.acquire(timeout=30)


def test_a_visitor_who_leaves_without_a_word_frees_the_place(package: PolicyPackage) -> None:
    places = threading.Semaphore(1)
    steps = live(package, lane(package, patience=60.0), places=places).steps()
    while not isinstance(next(steps), LiveFrame):
        pass
    steps.close()  # type: ignore[attr-defined]
    assert places.acquire(timeout=30)


def test_who_finds_no_free_place_is_told_and_can_stop_waiting(package: PolicyPackage) -> None:
    places = threading.Semaphore(0)
    waiting = live(package, lane(package), places=places)
    said = [step.text for step in waiting.steps() if isinstance(step, Preparing) and (waiting.stop() or True)]
    assert not places.acquire(timeout=0)
    patient = live(package, lane(package), places=places).steps()
    told = next(step for step in patient if isinstance(step, Preparing) and "free place" in step.text)
    places.release()
    assert isinstance(shown(patient)[-1], LaneEnd) and said and told


def test_an_error_in_a_lane_is_raised_where_somebody_listens(package: PolicyPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise PackageError("the graph is damaged")

    places = threading.Semaphore(1)
    monkeypatch.setattr("vla_demo.workbench.rollout.live.open_policy", broken)
    with pytest.raises(PackageError, match="damaged"):
        list(live(package, lane(package), places=places).steps())
    assert places.acquire(timeout=30)


def test_impossible_lanes_are_refused_with_what_is_possible(package: PolicyPackage) -> None:
    with pytest.raises(InvalidInput, match="1 to 2"):
        next(live(package).steps())
    with pytest.raises(InvalidInput, match="not in this batch"):
        next(LiveRollout(LiveRequest("tiny", (lane(package),), 5), package, threading.Semaphore(1)).steps())


def test_a_policy_without_denoising_has_no_seam_free_lane(tmp_path_factory: pytest.TempPathFactory) -> None:
    act = tiny_act_package(tmp_path_factory.mktemp("tiny") / "act")
    with pytest.raises(InvalidInput, match="sync and async are valid"):
        next(live(act, lane(act, mode="seamfree")).steps())


def test_the_protocol_s_starts_are_listed_and_shown() -> None:
    cards = start_cards()
    assert [sum(card.split == split for card in cards) for split in ("test", "validation")] == [20, 10]
    first, other = scene(cards[0].number), scene(cards[-1].number)
    assert first["left"].shape == (480, 640, 3) and not np.array_equal(first["left"], other["left"])
    with pytest.raises(InvalidInput, match="20 test and 10 validation"):
        scene(1)
