"""The whole verb on tiny packages: graphs made and loaded, a step a frame, a report of what really ran."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package
from vla_demo.core.errors import UnknownEpisode, VlaDemoError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import Replay, RunRequest


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("packages") / "act")


@pytest.fixture(scope="module")
def smolvla(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("packages") / "smolvla")


def replay_of(package: PolicyPackage, variant: str, dataset: Dataset, episode: int = 0, seed: int = 0) -> Replay:
    return Replay(RunRequest("tiny", Variant.parse(variant, package.spec), episode, seed), package, dataset)


def frames_of(replay: Replay) -> list[ReplayStep]:
    return [step for step in replay.steps() if isinstance(step, ReplayStep)]


def test_preparation_comes_first_and_then_every_frame(act: PolicyPackage, dataset: Dataset) -> None:
    replay = replay_of(act, "vision=int8", dataset)
    steps = list(replay.steps())
    prepared = list(itertools.takewhile(lambda s: isinstance(s, Preparing), steps))
    assert prepared[0] == Preparing("Vision encoder in int8", 0.0)
    assert [s.frame for s in steps[len(prepared) :] if isinstance(s, ReplayStep)] == list(range(20))


def test_int8_differs_from_the_reference_and_the_report_counts_what_ran(act: PolicyPackage, dataset: Dataset) -> None:
    replay = replay_of(act, "vision=int8,expert=int8", dataset)
    frames_of(replay)
    report = replay.report()
    assert report.reference_max_abs > 0 and report.reference_min_cosine < 1
    assert report.chunks == 3 and report.normalized_by == "checkpoint" and not report.is_reference
    assert all(graph.precision == "int8" and graph.quantized_nodes > 0 for graph in replay.graphs())
    assert report.stage_bytes["vision"] == next(g.size_bytes for g in replay.graphs() if g.role == "vision")
    assert set(report.stage_ms) == set(report.reference_stage_ms) == {"vision", "expert"}


def test_the_reference_against_itself_says_so(smolvla: PolicyPackage, dataset: Dataset) -> None:
    replay = replay_of(smolvla, "", dataset)
    frames_of(replay)
    assert replay.report().is_reference and replay.report().reference_max_abs == 0.0


def test_fewer_steps_are_compared_with_the_checkpoints_own_number(smolvla: PolicyPackage, dataset: Dataset) -> None:
    replay = replay_of(smolvla, "steps=1", dataset)
    frames_of(replay)
    assert str(replay.report().reference).endswith("steps=4") and replay.report().reference_max_abs > 0


def test_the_same_seed_gives_the_same_traces(smolvla: PolicyPackage, dataset: Dataset) -> None:
    first, again, other = (np.array([s.predicted for s in frames_of(replay_of(smolvla, "", dataset, seed=s))]) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stop_ends_the_replay_in_the_middle_of_a_chunk(smolvla: PolicyPackage, dataset: Dataset) -> None:
    replay = replay_of(smolvla, "", dataset)
    steps = replay.steps()
    seen = [next(s for s in steps if isinstance(s, ReplayStep))]
    replay.stop()
    seen += [s for s in steps if isinstance(s, ReplayStep)]
    assert len(seen) == smolvla.spec.chunk_size  # the frames already planned, no further inference
    assert replay.report().chunks == 1


def test_before_the_first_step_there_is_nothing_to_report(act: PolicyPackage, dataset: Dataset) -> None:
    with pytest.raises(VlaDemoError, match="has not begun"):
        replay_of(act, "", dataset).report()


def test_an_unknown_episode_is_refused_before_anything_is_made(act: PolicyPackage, dataset: Dataset, own_cache: Path) -> None:
    with pytest.raises(UnknownEpisode, match="it has 0-1"):
        next(replay_of(act, "vision=int8", dataset, episode=99).steps())
    assert not own_cache.exists()
