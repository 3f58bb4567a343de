"""Scales are calibrated on training episodes, and on nothing a policy is judged by."""

from pathlib import Path

import pytest

from tests.fakes import CAMERAS, INSTRUCTION, JOINTS, fake_episode, tiny_act_package
from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset, open_dataset
from vla_demo.runtime.graph_store import receipts
from vla_demo.workbench.calibrations import calibration_for, calibration_on
from vla_demo.workbench.datasets import dataset_for
from vla_demo.workbench.preparation import prepare_variant


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("package") / "act")


@pytest.fixture(scope="module")
def partly_training(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """One validation and two training episodes."""
    from vla_demo.episodes.recording import EpisodeWriter

    folder = tmp_path_factory.mktemp("recorded") / "own"
    with EpisodeWriter(folder, CAMERAS, (48, 64), [f"{joint}.pos" for joint in JOINTS], 30) as writer:
        for index, split in enumerate(["validation", "train", "train"]):
            episode = fake_episode(index, frames=10)
            frames = [episode.frame(i) for i in range(len(episode))]
            writer.add([(f.observation, f.action) for f in frames], INSTRUCTION, split=split)
    return open_dataset(folder)


def test_the_bundled_policies_get_the_episodes_that_ship(package: PolicyPackage) -> None:
    calibration = calibration_for(package, dataset_for(None))
    assert calibration.identity()["episodes"] == [0, 1, 2, 3]
    assert len(calibration.observations) == 24


def test_the_episodes_that_ship_come_from_four_training_clusters() -> None:
    folder = require_demo().calibration
    episodes = open_dataset(folder).episodes
    assert {e.split for e in episodes} == {"train"}
    assert len({e.cluster for e in episodes} - {6}) == 4
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 3_000_000


def test_any_other_dataset_gives_its_own_training_episodes(package: PolicyPackage, partly_training: Dataset) -> None:
    calibration = calibration_for(package, partly_training)
    assert (calibration.split, calibration.episodes) == ("train", (1, 2))
    assert calibration.source == partly_training.name


def test_episodes_a_policy_is_judged_by_are_refused(partly_training: Dataset) -> None:
    """The negative control: one validation episode among the training ones is enough."""
    with pytest.raises(InvalidInput, match=r"are validation; .*training episodes only"):
        calibration_on(partly_training, [0, 1])
    with pytest.raises(InvalidInput, match="are test, validation"):
        calibration_on(dataset_for(None), [9, 10])


def test_a_dataset_without_training_episodes_is_refused(package: PolicyPackage, episodes_folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no training episodes"):
        calibration_for(package, open_dataset(episodes_folder))


def test_a_stage_that_needs_calibration_gets_it_and_says_which(package: PolicyPackage, partly_training: Dataset, own_cache: Path) -> None:
    variant = Variant.of(package.spec, {"vision": "int8-static", "expert": "int8"})
    list(prepare_variant(package, variant, partly_training))
    vision, expert = receipts(package, variant, own_cache)
    assert vision.made_with["calibration"]["episodes"] == [1, 2]
    assert "calibration" not in expert.made_with
