"""A flow-matching policy from inside: its velocity field, and the path that Euler steps take through it. Knows nothing of precisions."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import Observation
from vla_demo.core.policy import PolicySpec
from vla_demo.runtime.policy import GraphRun, Tensors

__all__ = ["ActionUnit", "OpenPolicy", "Path", "follow", "step_moment"]

Array = NDArray[np.float32]


class OpenPolicy(Protocol):
    """A policy that can be entered at its seams; `runtime.ExportedPolicy` is one. Arrays as there."""

    @property
    def spec(self) -> PolicySpec: ...

    def prefix(self, observation: Observation, run: GraphRun | None = None) -> Tensors:
        """All there is before the last stage, by name, as `ExportedPolicy.prefix` gives it."""
        ...

    def condition(self, prefix: Tensors, run: GraphRun | None = None) -> Tensors:
        """The context of every `velocity`, by name, as `ExportedPolicy.condition` gives it."""
        ...

    def velocity(self, x: Array, moment: float, context: Tensors, run: GraphRun | None = None) -> Array:
        """dx/dt (T, A) of the flow at x (T, A) and time `moment` (1: noise, 0: actions)."""
        ...

    def actions(self, normalized: NDArray[np.generic]) -> Array:
        """(T, padded width) as the graphs answer to (T, J) in dataset units."""
        ...


@dataclass(frozen=True, slots=True)
class Path:
    """Where Euler went."""

    xs: NDArray[np.float32]  # (N+1, T, A) from noise to actions, padded dimensions included
    velocities: NDArray[np.float32]  # (N, T, A) at xs[:-1]

    @property
    def steps(self) -> int:
        return len(self.velocities)


def step_moment(step: int, steps: int) -> float:
    """The time at which step `step` (from 0) of `steps` looks at the field: 1 is noise, 0 the actions. As LeRobot counts."""
    return 1.0 - step / steps


def follow(policy: OpenPolicy, context: Tensors, noise: Array, steps: int, run: GraphRun | None = None) -> Path:
    """Euler from `noise` (T, A) in `steps` steps, dt = -1 / steps; the very arithmetic of `predict_chunk`."""
    xs, velocities = [noise], []
    for step in range(steps):
        velocities.append(policy.velocity(xs[-1], step_moment(step, steps), context, run))
        xs.append(xs[-1] + np.float32(-1.0 / steps) * velocities[-1])
    return Path(np.stack(xs), np.stack(velocities))


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """From what a policy's graphs answer to standard deviations of its action; padded dimensions fall away."""

    deviations: NDArray[np.float64]  # (J,) standard deviations that a difference of 1 in the graph's output is

    @classmethod
    def of(cls, policy: OpenPolicy, std: NDArray[np.float64]) -> "ActionUnit":
        """`std` (J,) in dataset units. Every normalization is affine by joint, so two points tell its slope."""
        width = len(std) if policy.spec.noise_shape is None else policy.spec.noise_shape[1]
        ends = policy.actions(np.stack([np.zeros(width), np.ones(width)]).astype(np.float32)).astype(np.float64)
        return cls((ends[1] - ends[0]) / std)

    def of_difference(self, difference: NDArray[Any]) -> NDArray[np.float64]:
        """(..., A) to (..., J)."""
        scaled: NDArray[np.float64] = difference[..., : len(self.deviations)].astype(np.float64) * self.deviations
        return scaled
