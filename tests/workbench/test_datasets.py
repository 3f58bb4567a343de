"""A dataset that does not fit the policy is refused with the difference, one that fits in other words is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import CAMERAS, act_spec
from vla_demo.core.demo import Demo
from vla_demo.core.errors import InvalidInput, UnknownEpisode
from vla_demo.episodes import Dataset
from vla_demo.workbench import datasets
from vla_demo.workbench.datasets import check_fit, dataset_for
from vla_demo.workbench.replay.episodes import episode_cards, playable_episode


def test_joints_fit_with_and_without_the_suffix_of_lerobot(dataset: Dataset) -> None:
    assert dataset.joint_names[0] == "shoulder_pan.pos" and act_spec().joint_names[0] == "shoulder_pan"
    check_fit(dataset, act_spec())


def test_nameless_joints_fit_when_there_are_as_many(dataset: Dataset) -> None:
    check_fit(dataset, replace(act_spec(), joint_names=tuple(f"joint_{i + 1}" for i in range(6))))
    with pytest.raises(InvalidInput, match=r"moves 7 joints, .* recorded 6"):
        check_fit(dataset, replace(act_spec(), joint_names=tuple(f"joint_{i + 1}" for i in range(7))))


def test_joints_in_another_order_do_not_fit(dataset: Dataset) -> None:
    with pytest.raises(InvalidInput, match=r"moves gripper, .* in this order"):
        check_fit(dataset, replace(act_spec(), joint_names=tuple(reversed(act_spec().joint_names))))


def test_a_camera_that_was_not_recorded_is_named(dataset: Dataset) -> None:
    with pytest.raises(InvalidInput, match=r"has no camera wrist; it has top, gripper, left"):
        check_fit(dataset, replace(act_spec(), cameras=("top", "wrist")))
    check_fit(dataset, replace(act_spec(), cameras=("left",)))


def test_a_named_dataset_is_opened_and_a_missing_bundle_is_explained(episodes_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(dataset_for(episodes_folder).episodes) == 2
    monkeypatch.setattr(datasets, "require_demo", lambda: Demo(Path("/nowhere")))
    with pytest.raises(UnknownEpisode, match="/nowhere/episodes"):
        dataset_for(None)


def test_an_episode_comes_with_its_card_and_a_video_of_each_camera(dataset: Dataset) -> None:
    assert [(c.index, c.split, c.cluster, c.is_recovery) for c in episode_cards(dataset)] == [
        (0, "validation", 6, False),
        (1, "test", 3, True),
    ]
    shown = playable_episode(dataset, 1)
    assert shown.card.is_recovery and len(shown.episode) == 20
    assert [c.name for c in shown.cameras] == list(CAMERAS)
    assert all(c.file.is_file() and c.start == pytest.approx(20 / 30) for c in shown.cameras)
