"""The observations of the gate: enough, the same each time, and reaching into every part of the input."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import Exported
from vla_demo.core.package import VectorRecipe
from vla_demo.export.observations import COUNT, _joints, parity_inputs

SIZES = {"top": (48, 64), "gripper": (30, 40), "left": (48, 64)}


def test_made_up_observations_are_the_same_each_time_and_all_different(smolvla: Exported) -> None:
    spec, recipes = smolvla.package.spec, smolvla.package.preprocessing
    first, second = (parity_inputs(spec, recipes, SIZES, episodes=None) for _ in range(2))
    assert len(first.observations) == len(first.noises) == COUNT >= 20
    for a, b in zip(first.observations, second.observations, strict=True):
        assert np.array_equal(a.joints, b.joints) and all(np.array_equal(a.images[c], b.images[c]) for c in SIZES)
    assert len({o.images["top"].tobytes() for o in first.observations}) == COUNT
    assert len({n.tobytes() for n in first.noises if n is not None}) == COUNT
    assert first.observations[0].images["gripper"].shape == (30, 40, 3)


def test_instructions_reach_beyond_sixteen_tokens_and_beyond_the_limit(smolvla: Exported) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(smolvla.package.folder / "tokenizer.json"))
    inputs = parity_inputs(smolvla.package.spec, smolvla.package.preprocessing, SIZES, episodes=None)
    lengths = {len(tokenizer.encode(o.instruction).ids) for o in inputs.observations}
    assert min(lengths) < 16 and max(lengths) > 48 and any(16 < n < 48 for n in lengths)


def test_recorded_moments_come_from_validation_episodes_only(smolvla: Exported, episodes_folder: Path) -> None:
    inputs = parity_inputs(smolvla.package.spec, smolvla.package.preprocessing, SIZES, episodes=episodes_folder)
    assert inputs.source == f"{COUNT} moments of 1 recorded validation episodes"
    assert len(inputs.observations) == COUNT


@pytest.mark.parametrize(
    ("recipe", "low", "high"),
    [
        (VectorRecipe("MEAN_STD", {"mean": (50.0,), "std": (1.0,)}, 1e-8, None), 40, 60),
        (VectorRecipe("MIN_MAX", {"min": (3.0,), "max": (4.0,)}, 1e-8, None), 3, 4),
        (VectorRecipe("IDENTITY", {}, 1e-8, None), -9, 9),
    ],
)
def test_made_up_joints_lie_where_the_statistics_say(recipe: VectorRecipe, low: float, high: float) -> None:
    joints = _joints(recipe, 1, np.random.default_rng(0))
    assert joints.dtype == np.float32 and low <= joints[0] <= high
