"""The sentences say what a figure is, over how many, and never average degrees with percent."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ui.fake_policies import package
from tests.ui.fake_replay import FRAMES
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_messages import finished
from vla_demo.evaluation.replay import ReplayReport
from vla_demo.ui.shared import words
from vla_demo.workbench.replay.episodes import EpisodeCard


@pytest.fixture
def report() -> ReplayReport:
    return finished("smolvla", "vision=int8,steps=2")[0].report()


def test_an_episode_is_named_by_its_place_in_the_protocol() -> None:
    assert words.episode_label(EpisodeCard(12, "test", 3, True)) == "Episode 12 · test · cluster 3 · recovery"
    assert words.episode_label(EpisodeCard(0, None, None, False)) == "Episode 0"


def test_degrees_and_percent_are_averaged_apart() -> None:
    assert words.unit_means({"shoulder_pan": 1.0, "gripper": 50.0, "elbow_flex": 3.0}) == {"°": 2.0, "%": 50.0}


def test_a_robot_without_gripper_has_one_mean() -> None:
    assert words.unit_means({"a": 1.0, "b": 2.0}) == {"°": 1.5}


def test_stages_are_described_from_their_graphs() -> None:
    spec = package("smolvla").spec
    assert [words.stage(stage, spec) for stage in spec.stages] == [
        "3 cameras, once a chunk",
        "pictures, words and joints, once a chunk",
        "flow matching, one pass per denoising step",
    ]
    assert words.stage(package("act").spec.stages[1], package("act").spec) == "one pass gives all 50 actions"


def test_the_two_comparisons_never_share_a_name(report: ReplayReport) -> None:
    titles = [section["title"] for section in words.measured(report, takes_noise=True)]
    assert titles == ["vs FP32 reference, same noise", "vs recorded demonstration"]
    assert words.measured(report, takes_noise=False)[0]["title"] == "vs FP32 reference"


def test_every_figure_says_over_how_many(report: ReplayReport) -> None:
    reference, recorded = words.measured(report, takes_noise=True)
    assert "Over 3 whole chunks" in reference["notes"][0]
    assert f"of {FRAMES} executed actions have every joint within 5° (gripper 5 %)" in recorded["notes"][0]


def test_a_cosine_is_never_rounded_up_to_a_perfect_one(report: ReplayReport) -> None:
    close = replace(report, reference_min_cosine=0.99998, reference_max_abs=1.234)
    assert "Largest gap of one joint 1.23 (°, gripper %); least cosine 0.9999." in words.measured(close, takes_noise=True)[0]["notes"][0]


def test_the_small_print_says_where_times_come_from(report: ReplayReport) -> None:
    assert words.how(report, takes_noise=True).startswith(f"All {FRAMES} frames of episode 0, noise seed 0.")
    assert words.how(report, takes_noise=True).endswith("Times are medians of 3 chunks on a stand-in.")


def test_a_proof_shows_what_was_left_out_and_what_came_of_it() -> None:
    graph = replace(package("act").graphs[0], nodes=31, quantized_nodes=30, weight_bytes=15_521_000, quantized_weight_bytes=15_509_000)
    said = [text for text, _ in words.proof([graph], [0.001, 0.0123])]
    assert said[:3] == ["30/31 nodes", "15.51/15.52 MB weights", "differs from FP32 by up to 0.012"]
    whole = replace(graph, quantized_weight_bytes=graph.weight_bytes)
    assert [text for text, _ in words.proof([whole], [0.0])][1:3] == ["15.5/15.5 MB weights", "equal to FP32: stored losslessly"]
    assert len(words.proof([whole], [])) == 3


def test_tolerances_that_differ_are_listed_joint_by_joint(report: ReplayReport) -> None:
    uneven = replace(report, tolerance={"shoulder_pan": 4.0, "elbow_flex": 6.5})
    assert "within 4.0° (shoulder pan), 6.5° (elbow flex)" in words.measured(uneven, takes_noise=False)[1]["notes"][0]


def test_the_held_out_cluster_is_said_to_be_unseen() -> None:
    workbench = FakeWorkbench(Path())
    notes = [words.recorded(workbench.replay.episode(i))[0]["notes"][1] for i in (0, 3)]
    assert notes == [
        "The bag starts in cluster 6: no training demonstration starts there.",
        "The bag starts in cluster 3: training saw others from there.",
    ]
