"""Seam-free chunks for flow-matching policies: a new chunk is denoised around what is left of the one before, so that it goes on from it.

In-painting by replacement, which needs forward passes only and so runs on exported graphs: after each denoising step the actions that are
known are put where the flow's straight path has them, x = t * noise + (1 - t) * action. Actions that will have been executed when the chunk
arrives are kept altogether; for those after them the hold loosens with the exponential schedule of real-time chunking (Black et al.,
NeurIPS 2025, which guides by gradients instead).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput

__all__ = ["Continuation", "Inpainting", "hold"]


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a new chunk should go on from."""

    actions: NDArray[np.float32]  # (n, J) dataset units, still planned; the first is for the step of the observation
    frozen: int  # of those, how many will have been executed when the new chunk arrives


def hold(length: int, known: int, frozen: int) -> NDArray[np.float32]:
    """(length,) how firmly each action of a chunk is held: 1 for the `frozen`, falling for the `known`, 0 beyond them."""
    weights = np.zeros(length, np.float32)
    for place in range(min(known, length)):
        left = 1.0 if place < frozen else (known - place) / (known - frozen + 1)
        weights[place] = left * math.expm1(left) / math.expm1(1)
    return weights


class Inpainting:
    """The known actions of one chunk in the flow's own units."""

    def __init__(self, known: NDArray[np.float32], frozen: int, noise: NDArray[np.float32]) -> None:
        """`known` (n, A) normalized and padded, `noise` (T, A). Raises `InvalidInput` when more is frozen than known."""
        if not 0 <= frozen <= len(known):
            raise InvalidInput(f"{frozen} actions cannot be frozen: {len(known)} are known")
        count = min(len(known), len(noise))
        self._noise, self._known = noise, np.zeros_like(noise)
        self._known[:count] = known[:count]
        self._weights = hold(len(noise), count, frozen)[:, None]

    def apply(self, x: NDArray[np.float32], moment: float) -> NDArray[np.float32]:
        """x (T, A) at time `moment` (1: noise, 0: actions) with the known actions in their places."""
        place = np.float32(moment) * self._noise + np.float32(1 - moment) * self._known
        mixed: NDArray[np.float32] = self._weights * place + (1 - self._weights) * x
        return mixed
