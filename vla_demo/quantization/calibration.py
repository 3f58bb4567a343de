"""What a scheme may look at before it fixes scales: observations of training episodes, and never of those a policy is judged on.

It knows nothing of datasets: the workbench says which observations of which split these are.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, Stopped
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.variant import Variant
from vla_demo.runtime import ExportedPolicy, GraphStore

__all__ = ["TRAINING", "Calibration", "Feeds", "Where", "digest_observations", "everywhere"]

Where = Callable[[str], bool]
"""Whether the layer of that name is to be quantized."""

Feeds = Iterable[Mapping[str, NDArray[Any]]]
"""Inputs of one graph, one mapping a call; can be gone through more than once, and only one is in memory at a time."""

TRAINING = "train"


def everywhere(layer: str) -> bool:
    """The `Where` that leaves nothing out."""
    return True


@dataclass(frozen=True, slots=True)
class Calibration:
    """Observations that a policy was, or could have been, trained on. Raises `InvalidInput` for any other split, and for none at all."""

    source: str  # the dataset's name, for a person
    split: str
    episodes: tuple[int, ...]
    observations: tuple[Observation, ...]
    seed: int = 0  # of the denoising noise

    def __post_init__(self) -> None:
        if self.split != TRAINING:
            raise InvalidInput(
                f"{self.source}: episodes {_join(self.episodes)} are {self.split or 'of no split'}; scales are calibrated on "
                f"training episodes only, else the policy would be judged on what it was fitted to"
            )
        if not self.observations:
            raise InvalidInput(f"{self.source}: there is nothing to calibrate on; choose at least one training episode")

    def identity(self) -> Mapping[str, Any]:
        """For the receipt: a hash of what is looked at, and the facts a person reads."""
        return {
            "source": self.source,
            "split": self.split,
            "episodes": list(self.episodes),
            "observations": len(self.observations),
            "seed": self.seed,
            "sha256": digest_observations(self.observations),
        }

    def feeds(self, package: PolicyPackage, graph: StageGraph) -> Feeds:
        """The inputs of `graph` by name, in the shapes it reads, as FP32 computes them; in the denoising loop those of every step."""
        return _RecordedInputs(self, package, graph)


@dataclass(frozen=True, slots=True)
class _RecordedInputs:
    calibration: Calibration
    package: PolicyPackage
    graph: StageGraph

    def __iter__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        policy = ExportedPolicy(self.package, Variant.reference(self.package.spec), GraphStore(Path()))  # FP32: nothing is looked up
        for number, observation in enumerate(self.calibration.observations):
            yield from self._record_inputs(policy, observation, number)

    def _record_inputs(self, policy: ExportedPolicy, observation: Observation, number: int) -> list[Mapping[str, NDArray[Any]]]:
        recorded: list[Mapping[str, NDArray[Any]]] = []

        def tap(role: str, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
            if (role, name) == (self.graph.role, self.graph.name):
                recorded.append(tensors)
                if not self._runs_each_step():
                    raise Stopped("the rest of the chunk is of no interest")

        shape, seed = self.package.spec.noise_shape, self.calibration.seed
        noise = None if shape is None else np.random.default_rng([seed, number]).standard_normal(shape, dtype=np.float32)
        try:
            policy.predict_chunk(observation, noise=noise, tap=tap)
        except Stopped:
            if not recorded:
                raise
        return recorded

    def _runs_each_step(self) -> bool:
        stages = self.package.spec.stages
        return any(g.runs_per_denoise_step for s in stages if s.role == self.graph.role for g in s.graphs if g.name == self.graph.name)


def digest_observations(observations: Iterable[Observation]) -> str:
    """SHA-256 of all that a policy sees: pictures, joints and instruction, in order."""
    digest = hashlib.sha256()
    for observation in observations:
        for camera in sorted(observation.images):
            digest.update(camera.encode() + np.ascontiguousarray(observation.images[camera]).tobytes())
        digest.update(np.asarray(observation.joints, np.float32).tobytes() + observation.instruction.encode())
    return digest.hexdigest()


def _join(episodes: Iterable[int]) -> str:
    return ", ".join(map(str, episodes))
