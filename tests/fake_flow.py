"""A flow-matching policy whose every error is known in closed form: a linear velocity field.

With v(x, t) = slope x + bias and Euler's h = -1/N, an error b of the bias alone gives E_k = h b ((1 + h slope)^k - 1) / (h slope):
slope < 0 amplifies, slope > 0 contracts, slope = 0 only adds up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.fakes import smolvla_spec
from vla_demo.core.observation import Observation
from vla_demo.core.policy import PolicySpec
from vla_demo.runtime.policy import GraphRun, Tensors

STD = np.arange(1.0, 7.0)  # of each joint's action


@dataclass
class LinearFlow:
    """`offset` is what its prefix adds to the velocity; `bias` may depend on the time."""

    slope: float = 0.0
    gain: float = 0.0  # v is (1 + gain) times as large
    bias: Callable[[float], float] = lambda moment: 0.0
    offset: float = 0.0
    padding: float = 0.0  # added to the velocity in the padded dimensions only
    spec: PolicySpec = field(default_factory=smolvla_spec)
    chunks: int = 0

    def prefix(self, observation: Observation, run: GraphRun | None = None) -> Tensors:
        _spend(run, "vision", "llm")
        return {"keys": np.asarray([self.offset]), "pixels": np.zeros(3)}

    def condition(self, prefix: Tensors, run: GraphRun | None = None) -> Tensors:
        self.chunks += 1
        return dict(prefix)

    def velocity(self, x: NDArray[np.float32], moment: float, context: Tensors, run: GraphRun | None = None) -> NDArray[np.float32]:
        _spend(run, "expert")
        v = (1 + self.gain) * self.slope * x + self.bias(moment) + float(context["keys"][0])
        v[:, len(STD) :] += self.padding
        return v.astype(np.float32)

    def actions(self, normalized: NDArray[np.generic]) -> NDArray[np.float32]:
        return (np.asarray(normalized, np.float64)[:, : len(STD)] * STD + 3).astype(np.float32)


def _spend(run: GraphRun | None, *roles: str) -> None:
    if run is not None:
        run.stage_ms.update({role: run.stage_ms.get(role, 0.0) + 1.0 for role in roles})
