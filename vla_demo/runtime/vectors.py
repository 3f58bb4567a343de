"""Joint vectors to model inputs and model outputs back to joints, by the formulas of LeRobot's normalizer; numpy only."""

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import VectorRecipe
from vla_demo.runtime.package_check import VECTOR_STATS

__all__ = ["normalize", "unnormalize"]

Vector = NDArray[np.float32]  # (..., J)


def normalize(joints: Vector, recipe: VectorRecipe) -> Vector:
    """(J,) dataset units to (padded width,) as the graph expects it: normalized, then zeros appended."""
    values = joints.astype(np.float32)
    if recipe.mode == "MEAN_STD":
        mean, std = _stats(recipe)
        values = (values - mean) / (std + np.float32(recipe.eps))
    elif recipe.mode != "IDENTITY":
        low, high = _stats(recipe)
        values = 2 * (values - low) / _span(low, high, recipe.eps) - 1
    missing = 0 if recipe.padded_to is None else recipe.padded_to - len(values)
    return np.pad(values, (0, missing))


def unnormalize(output: Vector, recipe: VectorRecipe, joints: int) -> Vector:
    """(T, padded width) of a graph to (T, joints) in dataset units; the padding is dropped."""
    values = np.ascontiguousarray(output[:, :joints], np.float32)
    if recipe.mode == "MEAN_STD":
        mean, std = _stats(recipe)
        values = values * std + mean  # without eps: so LeRobot's unnormalizer
    elif recipe.mode != "IDENTITY":
        low, high = _stats(recipe)
        values = (values + 1) / np.float32(2) * _span(low, high, recipe.eps) + low
    return values


def _stats(recipe: VectorRecipe) -> tuple[Vector, Vector]:
    first, second = VECTOR_STATS[recipe.mode]
    return np.asarray(recipe.stats[first], np.float32), np.asarray(recipe.stats[second], np.float32)


def _span(low: Vector, high: Vector, eps: float) -> Vector:
    """A joint that never moved has no span; LeRobot puts eps there."""
    span: Vector = high - low
    span[span == 0] = np.float32(eps)
    return span
