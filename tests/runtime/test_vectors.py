"""Joint vectors are normalized and brought back as LeRobot's normalizer does it, in every mode."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from vla_demo.core.package import VectorRecipe
from vla_demo.runtime.package_check import VECTOR_STATS
from vla_demo.runtime.vectors import normalize, unnormalize

STATS = {
    "mean": (1.0, -20.0, 3.5),
    "std": (10.0, 0.0, 0.5),
    "min": (-90.0, 5.0, 0.0),
    "max": (90.0, 5.0, 100.0),  # the second joint never moved: its span is 0
    "q01": (-80.0, 5.0, 1.0),
    "q99": (80.0, 5.0, 99.0),
    "q10": (-40.0, 5.0, 10.0),
    "q90": (40.0, 5.0, 90.0),
}
JOINTS = np.array([12.5, 6.0, 55.0], np.float32)


def recipe(mode: str, padded_to: int | None = None) -> VectorRecipe:
    return VectorRecipe(mode, {name: STATS[name] for name in VECTOR_STATS[mode]}, 1e-8, padded_to)


def theirs(mode: str, value: np.ndarray[Any, Any], *, inverse: bool) -> np.ndarray[Any, Any]:
    import torch
    from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
    from lerobot.processor import NormalizerProcessorStep

    stats: Mapping[str, Any] = {"observation.state": {name: torch.tensor(s) for name, s in STATS.items()}}
    features = {"observation.state": PolicyFeature(FeatureType.STATE, (3,))}
    step = NormalizerProcessorStep(features, {FeatureType.STATE: NormalizationMode(mode)}, stats=stats)
    done = step._apply_transform(torch.from_numpy(value), "observation.state", FeatureType.STATE, inverse=inverse)
    return np.asarray(done)


@pytest.mark.parametrize("mode", VECTOR_STATS)
def test_it_normalizes_as_lerobot_does(mode: str) -> None:
    np.testing.assert_allclose(normalize(JOINTS, recipe(mode)), theirs(mode, JOINTS, inverse=False), rtol=1e-6)


@pytest.mark.parametrize("mode", VECTOR_STATS)
def test_it_brings_actions_back_as_lerobot_does(mode: str) -> None:
    chunk = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    np.testing.assert_allclose(unnormalize(chunk, recipe(mode), 3), theirs(mode, chunk, inverse=True), rtol=1e-6)


def test_padding_is_added_after_normalizing_and_dropped_before_the_way_back() -> None:
    padded = normalize(JOINTS, recipe("MEAN_STD", padded_to=8))
    assert padded.shape == (8,)
    assert (padded[3:] == 0).all()
    assert unnormalize(np.ones((2, 8), np.float32), recipe("MEAN_STD", padded_to=8), 3).tolist() == [[11.0, -20.0, 4.0]] * 2


def test_the_observation_is_not_changed() -> None:
    joints = JOINTS.copy()
    normalize(joints, recipe("IDENTITY"))[:] = 0
    assert (joints == JOINTS).all()
