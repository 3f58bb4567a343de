"""The observations that an export is judged on: recorded validation episodes where they fit the policy, made-up ones otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import Observation
from vla_demo.core.package import Preprocessing, VectorRecipe
from vla_demo.core.policy import PolicySpec
from vla_demo.runtime.package_check import VECTOR_STATS

__all__ = ["COUNT", "ParityInputs", "parity_inputs"]

COUNT = 24
_SEED = 20260
# A recorded dataset often has one short sentence; these reach into every part of the language input, its end and beyond it.
_INSTRUCTIONS = (
    "Grab the tea bag, move it over the mug, lower it and let the string hang outside the rim.",
    "grab it",
    "Wait. " * 60,
)


@dataclass(frozen=True, slots=True)
class ParityInputs:
    source: str  # in words, for the manifest
    observations: tuple[Observation, ...]
    noises: tuple[NDArray[np.float32] | None, ...]  # one (T, A) each; None for a policy that does not denoise


def parity_inputs(
    spec: PolicySpec, preprocessing: Preprocessing, picture_sizes: Mapping[str, tuple[int, int]], episodes: Path | None
) -> ParityInputs:
    """`COUNT` observations and noises, the same on every call.

    `picture_sizes`: camera -> (height, width) for made-up pictures. `episodes`: the bundled dataset, None where it is not installed.
    """
    rng = np.random.default_rng(_SEED)
    noises = tuple(None if spec.noise_shape is None else rng.standard_normal(spec.noise_shape, np.float32) for _ in range(COUNT))
    recorded = None if episodes is None else _recorded(spec, episodes)
    if recorded is not None:
        source = f"{COUNT} moments of {len(recorded)} recorded validation episodes"
        observations = [recorded[i % len(recorded)][i // len(recorded)] for i in range(COUNT)]
    else:
        why = "are not on this machine" if episodes is None else "do not fit this policy"
        source = f"{COUNT} made-up observations (seed {_SEED}); the bundled episodes {why}"
        observations = [_made_up(spec, preprocessing, picture_sizes, rng) for _ in range(COUNT)]
    return ParityInputs(source, tuple(_instructed(observations)), noises)


def _recorded(spec: PolicySpec, folder: Path) -> list[tuple[Observation, ...]] | None:
    """Moments spread over each validation episode, or None when they do not fit the policy."""
    from vla_demo.episodes import open_dataset

    dataset = open_dataset(folder)
    chosen = [e for e in dataset.episodes if e.split == "validation"]
    if not chosen or not set(spec.cameras) <= set(dataset.cameras) or len(spec.joint_names) != len(dataset.joint_names):
        return None
    each = -(-COUNT // len(chosen))
    episodes = [dataset.episode(e.index) for e in chosen]
    return [tuple(e.frame(int((i + 0.5) * len(e) / each)).observation for i in range(each)) for e in episodes]


def _made_up(spec: PolicySpec, preprocessing: Preprocessing, sizes: Mapping[str, tuple[int, int]], rng: np.random.Generator) -> Observation:
    images = {camera: _picture(*sizes[camera], rng) for camera in spec.cameras}
    return Observation(images, _joints(preprocessing.state, len(spec.joint_names), rng), "Grab the tea bag.", 0.0)


def _picture(height: int, width: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Patches of color with a little noise: both the large and the small are there to be resized."""
    patches = rng.integers(0, 256, (8, 8, 3))
    rows, columns = (np.arange(n) * 8 // n for n in (height, width))
    noisy: NDArray[np.int64] = patches[rows][:, columns] + rng.integers(-20, 21, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def _joints(recipe: VectorRecipe, joints: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Joints as the statistics describe them."""
    if recipe.mode == "IDENTITY":
        return rng.standard_normal(joints).astype(np.float32)
    first, second = (np.asarray(recipe.stats[name], np.float64) for name in VECTOR_STATS[recipe.mode])
    if recipe.mode == "MEAN_STD":
        return (first + second * rng.standard_normal(joints)).astype(np.float32)
    return rng.uniform(np.minimum(first, second), np.maximum(first, second)).astype(np.float32)


def _instructed(observations: list[Observation]) -> Iterator[Observation]:
    """Every second observation keeps its own instruction; the others get one of `_INSTRUCTIONS`."""
    for index, observation in enumerate(observations):
        keep = index % 2 == 0
        yield observation if keep else replace(observation, instruction=_INSTRUCTIONS[index // 2 % len(_INSTRUCTIONS)])
