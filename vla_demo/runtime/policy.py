"""`open_policy`: an exported package as a `Policy`. Runs whatever stages the manifest lists; knows no family by name and never loads torch.

Tensors flow by name: preprocessing makes `pixels`, `state`, `token_ids` and `token_mask`; each graph reads what it names and adds its
outputs. Graphs that run once a chunk come first. Where there is denoising, the others then run N times on `x` (1, T, A) and `time` (1,)
and answer `velocity`; otherwise the last graph answers `actions` (1, T, J). Each of these pieces can be called by itself, so that what
happens inside a chunk can be measured; `predict_chunk` is made of them.
"""

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import GraphSpec, PolicySpec, StageSpec
from vla_demo.core.storage import cache_folder
from vla_demo.core.variant import Variant
from vla_demo.runtime.continuation import Continuation, Inpainting
from vla_demo.runtime.graph_store import GraphStore, located, reference_graphs
from vla_demo.runtime.manifest import read_manifest
from vla_demo.runtime.preprocessing import Preprocessor, checked_noise
from vla_demo.runtime.providers import Running
from vla_demo.runtime.sessions import GraphFile, Session, open_session

__all__ = ["ExportedPolicy", "GraphRun", "Tensors", "open_policy"]

DenoiseWatcher = Callable[[int, NDArray[np.float32]], None]
"""Called after each denoising step with its number, from 1, and x (T, A); raise `Stopped` in it to stop there."""

Tensors = Mapping[str, NDArray[np.generic]]
"""By name; those of the graphs, with the batch dimension of 1."""

Tap = Callable[[str, str, Tensors], None]
"""Called before each graph runs with its stage's role, its name and its inputs."""


@dataclass(frozen=True, slots=True)
class GraphRun:
    """What is noted while graphs run; pass the same one along to add up a whole chunk."""

    stage_ms: dict[str, float] = field(default_factory=dict)  # role -> wall milliseconds so far; loading is not counted
    tap: Tap | None = None  # is shown the inputs of each graph, as `Tap` says


def open_policy(
    folder: Path | str, variant: str | Variant | None = None, *, cache: Path | None = None, running: Running | None = None
) -> "ExportedPolicy":
    """A package as a policy; without `variant` all stages run in FP32 with the checkpoint's own number of denoising steps.

    Graphs of other precisions are looked up in the package, then in
    `cache` (default: the cache folder), where `vla_demo.quantization.prepare_variant` puts them. Nothing is loaded before the
    first chunk, or `load`.
    Raises `PackageError` (no such package, damaged, a graph not made yet) and `UnknownVariant`.
    """
    package = read_manifest(folder)
    if not isinstance(variant, Variant):
        variant = Variant.parse(variant or "", package.spec)
    return ExportedPolicy(package, variant, GraphStore(cache or cache_folder()), running)


class ExportedPolicy:
    """A `Policy` whose stages are ONNX graphs. It remembers nothing between chunks, so threads may share it."""

    def __init__(self, package: PolicyPackage, variant: Variant, store: GraphStore, running: Running | None = None) -> None:
        self.package = package
        self.variant = Variant.of(package.spec, {s.role: s.precision for s in variant.stages}, variant.denoise_steps)  # fits this package
        chosen = [located(package, store, graph, self.variant) for graph in reference_graphs(package)]
        self.graphs = tuple(graph for graph, _ in chosen)  # as they run: their bytes and counts of quantized nodes
        self._running = running or Running()
        self._files = {(g.role, g.name): self._file(path, g.sha256) for g, path in chosen}
        self._sessions: dict[GraphFile, Session] = {}
        self._preprocessor = Preprocessor(package)

    @property
    def spec(self) -> PolicySpec:
        return self.package.spec

    def reset(self) -> None:
        """Nothing to forget: a chunk depends on its observation and noise alone."""

    def load(self) -> None:
        """Load every graph now, so that the first chunk is as fast as the others."""
        for file in self._files.values():
            self._session(file)

    def predict_chunk(
        self,
        observation: Observation,
        *,
        noise: NDArray[np.float32] | None = None,
        watch: DenoiseWatcher | None = None,
        tap: Tap | None = None,
        after: Continuation | None = None,
    ) -> ActionChunk:
        """The next chunk with the wall milliseconds of each stage; a flow-matching policy can make it go on `after` what is still planned.

        `noise` is (T, A) of `spec.noise_shape`; the same noise gives the same chunk, bit for bit. Raises `InvalidInput` for an
        observation or noise that does not fit, saying what would.
        """
        start = checked_noise(noise, self.spec)
        inpainting = self._inpainting(after, start)
        run = GraphRun(dict.fromkeys((stage.role for stage in self.spec.stages), 0.0), tap)
        tensors = self.condition(self.prefix(observation, run), run)
        result = tensors["actions"][0] if start is None else self._denoised(start[0], tensors, run, watch, inpainting)
        return ActionChunk(self.actions(result), observation.captured_at, run.stage_ms)

    def prefix(self, observation: Observation, run: GraphRun | None = None) -> Tensors:
        """All there is before the last stage's turn: `inputs` and the outputs of every earlier stage, in the shapes the graphs read."""
        return self._ran(self.spec.stages[:-1], self.inputs(observation), run, in_loop=False)

    def inputs(self, observation: Observation) -> Tensors:
        """The prepared observation, what the first stages read, as `Preprocessor.inputs` gives it."""
        return self._preprocessor.inputs(observation)

    def stage(self, role: str, tensors: Tensors, run: GraphRun | None = None) -> Tensors:
        """`tensors` and what one stage makes of them once a chunk, in the shapes its graphs declare.

        They may come from another variant of the same package.
        """
        return self._ran([stage for stage in self.spec.stages if stage.role == role], tensors, run, in_loop=False)

    def condition(self, prefix: Tensors, run: GraphRun | None = None) -> Tensors:
        """`prefix` and what the last stage makes of it once a chunk: the context of every `velocity`, or `actions` (1, T, J).

        The prefix may come from another variant of the same package.
        """
        return self._ran(self.spec.stages[-1:], prefix, run, in_loop=False)

    def velocity(self, x: NDArray[np.float32], moment: float, context: Tensors, run: GraphRun | None = None) -> NDArray[np.float32]:
        """dx/dt (T, A) of the flow at x (T, A) and time `moment` (1: noise, 0: actions), for the context that `condition` made."""
        tensors = {**context, "x": x[None], "time": np.asarray([moment], np.float32)}
        return np.asarray(self._ran(self.spec.stages, tensors, run, in_loop=True)["velocity"][0], np.float32)

    def actions(self, normalized: NDArray[np.generic]) -> NDArray[np.float32]:
        """(T, padded width) as the graphs answer to (T, J) in dataset units."""
        return self._preprocessor.actions(np.asarray(normalized, np.float32)[None])

    def trying(self, graphs: Mapping[tuple[str, str], Path]) -> "ExportedPolicy":
        """This policy with other files for some of its graphs, by role and name: for graphs that are measured and not kept.

        A path stands for its content: write another graph to another path. `variant` and `graphs` stay what they were.
        """
        other = copy.copy(self)
        other._files = self._files | {key: self._file(path, "on trial") for key, path in graphs.items()}
        other._sessions = dict(self._sessions)
        return other

    def _file(self, path: Path, sha256: str) -> GraphFile:
        return GraphFile(path, sha256, self._running)

    def _inpainting(self, after: Continuation | None, noise: NDArray[np.float32] | None) -> Inpainting | None:
        if after is None:
            return None
        if noise is None:
            raise InvalidInput(f"{self.spec.family} does not denoise, so its chunks cannot be made to go on from others")
        return Inpainting(self._preprocessor.normalized_actions(after.actions), after.frozen, noise[0])

    def _denoised(
        self, x: NDArray[np.float32], context: Tensors, run: GraphRun, watch: DenoiseWatcher | None, inpainting: Inpainting | None
    ) -> NDArray[np.float32]:
        """Euler from noise at t = 1 to actions at t = 0, as LeRobot integrates: x += dt * velocity, dt = -1 / steps."""
        steps = self.variant.denoise_steps
        assert steps is not None  # `Variant.of` gives a denoising policy its steps
        for step in range(steps):
            x = x + np.float32(-1.0 / steps) * self.velocity(x, 1.0 - step / steps, context, run)
            if inpainting is not None:
                x = inpainting.apply(x, 1.0 - (step + 1) / steps)
            if watch is not None:
                watch(step + 1, x)
        return x

    def _ran(self, stages: Sequence[StageSpec], tensors: Tensors, run: GraphRun | None, *, in_loop: bool) -> Tensors:
        """`tensors` and the outputs of all graphs of one kind, in running order."""
        found = dict(tensors)
        for stage in stages:
            for graph in stage.graphs:
                if graph.runs_per_denoise_step == in_loop:
                    session = self._session(self._files[stage.role, graph.name])  # loading is no part of the stage's time
                    with _observed(run, stage.role, graph, found):
                        found.update(session.run(found))
        return found

    def _session(self, file: GraphFile) -> Session:
        session = self._sessions.get(file)
        if session is None:
            session = self._sessions[file] = open_session(file)
        return session


@contextmanager
def _observed(run: GraphRun | None, role: str, graph: GraphSpec, tensors: Tensors) -> Iterator[None]:
    if run is None:
        yield
        return
    if run.tap is not None:
        run.tap(role, graph.name, {name: tensors[name] for name in graph.inputs})
    began = time.perf_counter()
    yield
    run.stage_ms[role] = run.stage_ms.get(role, 0.0) + (time.perf_counter() - began) * 1e3
