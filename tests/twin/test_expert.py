"""The demonstrator on seeds that nothing was tuned on: 500 000 and up."""

from dataclasses import replace

import numpy as np
import pytest

from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.twin.demonstrations import demonstrations, solve
from vla_demo.twin.expert import Expert
from vla_demo.twin.starts import fresh_start, prepare, split_starts
from vla_demo.twin.world import TeaBagTwin


@pytest.mark.parametrize("n", [25, pytest.param(200, marks=pytest.mark.soak)])
def test_the_expert_solves_98_percent_of_fresh_starts(n, capsys):
    twin = TeaBagTwin()
    solved = sum(solve(twin, fresh_start(500_000 + k)) is not None for k in range(n))
    low, high = wilson_interval(solved, n)
    with capsys.disabled():
        print(f" expert: {solved}/{n}, Wilson 95 % {low:.3f} to {high:.3f} ", end="")
    assert solved / n >= 0.98


def test_a_demonstrator_that_never_closes_its_hand_is_not_counted_as_solved(monkeypatch):
    monkeypatch.setattr("vla_demo.twin.expert._CLOSED", 0.62)
    assert solve(TeaBagTwin(), fresh_start(500_001)) is None


def test_recoveries_start_from_a_failed_state_and_are_solved():
    twin, seen = TeaBagTwin(), set()
    for candidates in list(split_starts("train"))[10:36:12] + list(split_starts("train"))[11:48:12]:
        solved = [c for c in candidates if solve(twin, c) is not None]
        assert solved, candidates[0]
        seen.add(solved[0].failure)
    assert seen == {"missed", "off_target", "dropped", "beside_mug"}


def test_demonstrations_are_the_same_whatever_the_number_of_processes(monkeypatch):
    monkeypatch.setattr("vla_demo.twin.demonstrations.split_starts", lambda split: _two(split))
    alone = list(demonstrations("validation", (48, 64), jobs=1))
    assert [d.start.cluster for d in alone] == [6, 6]
    again = list(demonstrations("validation", (48, 64), jobs=2))
    for a, b in zip(alone, again, strict=True):
        np.testing.assert_array_equal([x for _, x in a.frames], [x for _, x in b.frames])
        np.testing.assert_array_equal(a.frames[50][0].images["gripper"], b.frames[50][0].images["gripper"])


def test_the_expert_says_which_phase_it_is_in():
    twin = TeaBagTwin()
    prepare(twin, fresh_start(11))
    expert, phases = Expert(twin), []
    while not expert.done:
        twin.advance(expert.act())
        phases.append(expert.phase)
    assert list(dict.fromkeys(phases)) == ["raise", "approach", "descend", "close", "lift", "carry", "lower", "release", "retreat", "home"]


def _two(split):
    return list(split_starts(split))[:2]


def test_a_disturbed_demonstration_misses_its_own_commands_and_still_succeeds():
    twin = TeaBagTwin()
    start = next(split_starts("extra"))[0]
    disturbed, calm = solve(twin, start), solve(twin, replace(start, disturbance=0.0))
    assert start.disturbance > 0 and disturbed is not None and calm is not None
    assert len(disturbed) != len(calm) or not np.allclose(disturbed, calm, atol=0.1)


def test_one_episode_of_a_split_is_the_one_that_stands_there() -> None:
    """How the few training episodes that ship for calibration were recorded."""
    (only,) = demonstrations("train", (24, 32), only=[40])
    assert (only.start.cluster, only.start.number) == (4, 104040)
