"""What a scheme may look at: training observations only, as the graph would see them in FP32."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes import observation
from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.quantization.calibration import Calibration
from vla_demo.runtime import open_policy, reference_graphs

TRAINING = Calibration("recorded", "train", (3, 5), (observation(1), observation(2)))


@pytest.mark.parametrize("split", ["validation", "test", "", "train, validation"])
def test_only_training_episodes_may_be_looked_at(split: str) -> None:
    """The negative control: else a policy would be judged on what its scales were fitted to."""
    with pytest.raises(InvalidInput, match="training episodes only"):
        replace(TRAINING, split=split)


def test_nothing_is_no_calibration() -> None:
    with pytest.raises(InvalidInput, match="nothing to calibrate on"):
        replace(TRAINING, observations=())


def test_its_identity_changes_with_what_is_looked_at() -> None:
    facts = TRAINING.identity()
    assert {key: facts[key] for key in ("source", "split", "episodes", "observations")} == {
        "source": "recorded",
        "split": "train",
        "episodes": [3, 5],
        "observations": 2,
    }
    assert facts == TRAINING.identity()
    assert facts["sha256"] != replace(TRAINING, observations=(observation(1), observation(3))).identity()["sha256"]
    assert facts["sha256"] != replace(TRAINING, observations=TRAINING.observations[::-1]).identity()["sha256"]


@pytest.mark.parametrize("name", ["act", "smolvla"])
def test_every_graph_is_fed_what_it_would_read(name: str, request: pytest.FixtureRequest) -> None:
    package: PolicyPackage = request.getfixturevalue(name)
    specs = {graph.name: graph for stage in package.spec.stages for graph in stage.graphs}
    for graph in reference_graphs(package):
        feeds = list(TRAINING.feeds(package, graph))
        calls = package.spec.denoise_steps if specs[graph.name].runs_per_denoise_step else 1
        assert len(feeds) == 2 * (calls or 1)
        assert all(tuple(feed) == specs[graph.name].inputs for feed in feeds)


def test_a_loop_is_heard_at_every_denoising_step(smolvla: PolicyPackage) -> None:
    step = next(graph for graph in reference_graphs(smolvla) if graph.name == "step")
    times = [float(feed["time"][0]) for feed in TRAINING.feeds(smolvla, step)]
    assert times == [1.0, 0.75, 0.5, 0.25] * 2


def test_the_feeds_are_those_of_the_fp32_package_and_can_be_gone_through_again(act: PolicyPackage) -> None:
    _, transformer = reference_graphs(act)
    heard = []
    open_policy(act.folder).predict_chunk(observation(1), tap=lambda role, name, tensors: heard.append(tensors))
    feeds = TRAINING.feeds(act, transformer)
    for _ in range(2):
        np.testing.assert_array_equal(next(iter(feeds))["features"], heard[1]["features"])
