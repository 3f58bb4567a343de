"""`open_policy`: an exported package as a `Policy`. Runs whatever stages the manifest lists; knows no family by name and never loads torch.

Tensors flow by name: preprocessing makes `pixels`, `state`, `token_ids` and `token_mask`; each graph reads what it names and adds its
outputs. Graphs that run once a chunk come first. Where there is denoising, the others then run N times on `x` (1, T, A) and `time` (1,)
and answer `velocity`; otherwise the last graph answers `actions` (1, T, J).
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.storage import cache_folder
from vla_demo.core.variant import Variant
from vla_demo.runtime.graph_store import GraphStore, located, reference_graphs
from vla_demo.runtime.manifest import read_manifest
from vla_demo.runtime.preprocessing import Preprocessor, checked_noise
from vla_demo.runtime.sessions import GraphFile, Session, open_session

__all__ = ["DenoiseWatcher", "ExportedPolicy", "open_policy"]

DenoiseWatcher = Callable[[int, NDArray[np.float32]], None]
"""Called after each denoising step with its number, from 1, and x (T, A); raise `Stopped` in it to stop there."""

_Tensors = dict[str, NDArray[np.generic]]


def open_policy(
    folder: Path | str, variant: str | Variant | None = None, *, threads: int | None = None, cache: Path | None = None
) -> "ExportedPolicy":
    """A package as a policy; without `variant` all stages run in FP32 with the checkpoint's own number of denoising steps.

    Graphs of other precisions are looked up in the package, then in `cache` (default: the cache folder), where
    `vla_demo.quantization.prepare_variant` puts them. Nothing is loaded before the first chunk, or `load`.
    Raises `PackageError` (no such package, damaged, a graph not made yet) and `UnknownVariant`.
    """
    package = read_manifest(folder)
    if not isinstance(variant, Variant):
        variant = Variant.parse(variant or "", package.spec)
    return ExportedPolicy(package, variant, GraphStore(cache or cache_folder()), threads)


class ExportedPolicy:
    """A `Policy` whose stages are ONNX graphs. It remembers nothing between chunks, so threads may share it."""

    def __init__(self, package: PolicyPackage, variant: Variant, store: GraphStore, threads: int | None = None) -> None:
        self.package = package
        self.variant = Variant.of(package.spec, {s.role: s.precision for s in variant.stages}, variant.denoise_steps)  # fits this package
        chosen = [located(package, store, graph, self.variant) for graph in reference_graphs(package)]
        self.graphs = tuple(graph for graph, _ in chosen)  # as they run: their bytes and counts of quantized nodes
        self._files = {(g.role, g.name): GraphFile(path, g.sha256, threads) for g, path in chosen}
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
    ) -> ActionChunk:
        """The next chunk with the wall milliseconds of each stage.

        `noise` is (T, A) of `spec.noise_shape`; the same noise gives the same chunk, bit for bit. Raises `InvalidInput` for an
        observation or noise that does not fit, saying what would.
        """
        start = checked_noise(noise, self.spec)
        tensors = self._preprocessor.inputs(observation)
        stage_ms = dict.fromkeys((stage.role for stage in self.spec.stages), 0.0)
        self._run(tensors, stage_ms, in_loop=False)
        if start is not None:
            tensors["actions"] = self._denoised(start, tensors, stage_ms, watch)
        actions = self._preprocessor.actions(np.asarray(tensors["actions"], np.float32))
        return ActionChunk(actions, observation.captured_at, stage_ms)

    def _denoised(
        self, x: NDArray[np.float32], tensors: _Tensors, stage_ms: dict[str, float], watch: DenoiseWatcher | None
    ) -> NDArray[np.float32]:
        """Euler from noise at t = 1 to actions at t = 0, as LeRobot integrates: x += dt * velocity, dt = -1 / steps."""
        steps = self.variant.denoise_steps
        assert steps is not None  # `Variant.of` gives a denoising policy its steps
        for step in range(steps):
            tensors["x"], tensors["time"] = x, np.asarray([1.0 - step / steps], np.float32)
            self._run(tensors, stage_ms, in_loop=True)
            x = x + np.float32(-1.0 / steps) * np.asarray(tensors["velocity"], np.float32)
            if watch is not None:
                watch(step + 1, x[0])
        return x

    def _run(self, tensors: _Tensors, stage_ms: dict[str, float], *, in_loop: bool) -> None:
        """All graphs of one kind, in running order; their outputs join `tensors`."""
        for stage in self.spec.stages:
            for graph in stage.graphs:
                if graph.runs_per_denoise_step == in_loop:
                    session = self._session(self._files[stage.role, graph.name])  # loading is no part of the stage's time
                    began = time.perf_counter()
                    tensors.update(session.run(tensors))
                    stage_ms[stage.role] += (time.perf_counter() - began) * 1e3

    def _session(self, file: GraphFile) -> Session:
        session = self._sessions.get(file)
        if session is None:
            session = self._sessions[file] = open_session(file)
        return session
