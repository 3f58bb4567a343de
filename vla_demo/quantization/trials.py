"""Trying out graphs of one stage: what they do to the actions of a policy whose other stages are FP32. The user's cache is not touched.

Observations, noise and earlier stages are the same for every trial, so that only the tried graphs differ. It knows no scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, UnknownVariant
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import graph_files
from vla_demo.core.variant import Variant
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.runtime import ExportedPolicy, GraphStore, reference_graphs
from vla_demo.runtime.manifest import package_file
from vla_demo.runtime.policy import GraphRun, Tensors

__all__ = ["Judgement", "Trials"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What trials are judged on."""

    observations: tuple[Observation, ...]
    spread: NDArray[np.float64]  # (J,) standard deviation of each joint's action, dataset units
    seed: int = 0  # of the denoising noise

    def __post_init__(self) -> None:
        if not self.observations:
            raise InvalidInput("there is nothing to judge a layer on; give at least one observation")


class Trials:
    """One stage of one policy on trial. `folder` is a workshop that the caller removes."""

    def __init__(self, package: PolicyPackage, role: str, judgement: Judgement, folder: Path) -> None:
        self.graphs = {graph.name: graph for graph in reference_graphs(package) if graph.role == role}
        if not self.graphs:
            raise UnknownVariant(f"{package.spec.family} has no stage {role}; it has {', '.join(s.role for s in package.spec.stages)}")
        self.package, self.role, self.judgement, self.folder = package, role, judgement, folder
        self.prepared = {name: folder / f"prepared-{name}.onnx" for name in self.graphs}
        for name, graph in self.graphs.items():
            prepare_graph(package_file(package.folder, graph.file), self.prepared[name])
        roles = [stage.role for stage in package.spec.stages]
        self._rest = roles[roles.index(role) :]
        self._policy = ExportedPolicy(package, Variant.reference(package.spec), GraphStore(folder))
        self._before = [self._before_stage(observation) for observation in judgement.observations]
        self.recorded: dict[str, list[Tensors]] = {name: [] for name in self.graphs}  # each graph's inputs on the first observation
        self._expected = [self._actions(self._policy, n, None if n else self._listening()) for n in range(len(self._before))]

    def errors(self, tried: Mapping[str, Path]) -> tuple[float, ...]:
        """RMS error of each observation's chunk in standard deviations, with these files (by graph) in the place of FP32's."""
        policy = self._policy.trying({(self.role, name): path for name, path in tried.items()})
        found = (self._actions(policy, number) for number in range(len(self._before)))
        return tuple(float(np.sqrt(np.mean((a - b) ** 2))) for a, b in zip(found, self._expected, strict=True))

    def size(self, tried: Mapping[str, Path]) -> int:
        """Bytes of the stage with these files, weights included."""
        return sum(file.stat().st_size for name in self.graphs for file in graph_files(tried.get(name, self.prepared[name])))

    def _before_stage(self, observation: Observation) -> Tensors:
        tensors = self._policy.inputs(observation)
        for stage in self.package.spec.stages:
            if stage.role == self.role:
                break
            tensors = self._policy.stage(stage.role, tensors)
        return tensors

    def _actions(self, policy: ExportedPolicy, number: int, run: GraphRun | None = None) -> NDArray[np.float64]:
        """(T, J) in standard deviations of the action."""
        tensors = self._before[number]
        for role in self._rest:
            tensors = policy.stage(role, tensors, run)
        shape, steps = self.package.spec.noise_shape, self.package.spec.denoise_steps
        if shape is None or steps is None:
            return self._deviations(policy, np.asarray(tensors["actions"][0], np.float32))
        x = np.random.default_rng([self.judgement.seed, number]).standard_normal(shape, dtype=np.float32)
        for step in range(steps):
            x = x + np.float32(-1.0 / steps) * policy.velocity(x, 1.0 - step / steps, tensors, run)
        return self._deviations(policy, x)

    def _deviations(self, policy: ExportedPolicy, normalized: NDArray[np.float32]) -> NDArray[np.float64]:
        deviations: NDArray[np.float64] = policy.actions(normalized).astype(np.float64) / self.judgement.spread
        return deviations

    def _listening(self) -> GraphRun:
        def tap(role: str, name: str, tensors: Tensors) -> None:
            if role == self.role:
                self.recorded[name].append(tensors)

        return GraphRun(tap=tap)
