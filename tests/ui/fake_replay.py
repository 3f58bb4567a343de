"""Replays of a small synthetic world: real H.264 videos, runs that can be held. No model, no torch."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.fakes import INSTRUCTION, JOINTS
from tests.ui.fake_loop import CAMERAS, picture
from tests.ui.fake_policies import FPS, package, set_event
from vla_demo.core.errors import UnknownEpisode
from vla_demo.core.observation import ActionChunk, Episode, Frame, Observation
from vla_demo.core.package import StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.replay import ReplayReport, ReplayStep, replay
from vla_demo.evaluation.tally import ReplaySubject, ReplayTally
from vla_demo.runtime.graph_store import Receipt
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.episodes import CameraFile, EpisodeCard, PlayableEpisode
from vla_demo.workbench.replay.run import RunRequest

FRAMES = 150
EPISODES = 4
SLOW = ("int4", "int2")  # smaller and slower, as weight-only graphs are on many processors


def write_videos(folder: Path) -> None:
    """One file a camera with all episodes one after another, as LeRobot writes them."""
    for k, camera in enumerate(CAMERAS):
        with av.open(folder / f"{camera}.mp4", "w", options={"movflags": "faststart"}) as out:
            stream = out.add_stream("libx264", rate=int(FPS), options={"preset": "ultrafast", "g": "15"})
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            for episode in range(EPISODES):
                for i in range(FRAMES):
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(episode, i, k), format="rgb24")))
            out.mux(stream.encode())


def actions(episode: int) -> NDArray[np.float32]:
    t = np.arange(FRAMES) / FPS
    curves = [34 * np.sin(0.9 * t + k + 0.6 * episode) * np.exp(-((t - 2.4 - 0.2 * k) ** 2) / 5) + 9 * k - 20 for k in range(5)]
    gripper = np.where((t > 1.4) & (t < 3.6), 12.0, 78.0)
    return np.stack([*curves, gripper], axis=1).astype(np.float32)


@dataclass
class WobblyPolicy:
    """Follows the recording with a slow wobble; each quantized stage and each missing denoising step adds its own."""

    spec: PolicySpec
    variant: Variant
    recorded: NDArray[np.float32]  # (N, J)
    think: Callable[[int], None]  # called with the frame before a chunk is planned

    def reset(self) -> None: ...

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        start = round(observation.captured_at * FPS)
        self.think(start)
        ticks = np.minimum(np.arange(start, start + self.spec.chunk_size), len(self.recorded) - 1)
        phases = ticks[:, None] / 17 + np.arange(6)
        quantized = sum(stage.precision != "fp32" for stage in self.variant.stages)
        missing = (self.spec.denoise_steps or 0) - (self.variant.denoise_steps or 0)
        actions = self.recorded[ticks] + 1.6 * np.sin(phases) + (0.5 * quantized + 0.2 * missing) * np.cos(1.7 * phases)
        stage_ms = {s.role: milliseconds(s.precision) for s in self.variant.stages}
        return ActionChunk(actions.astype(np.float32), observation.captured_at, stage_ms)


def milliseconds(precision: str) -> float:
    return 21.0 if precision == "fp32" else 35.0 if precision.startswith(SLOW) else 11.0


def quantized(graph: StageGraph, precision: str) -> StageGraph:
    if precision == "fp32":
        return graph
    proof = {"nodes": 20, "quantized_nodes": 19, "weight_bytes": graph.size_bytes, "quantized_weight_bytes": graph.size_bytes * 9 // 10}
    return replace(graph, precision=precision, size_bytes=graph.size_bytes // 4, sha256=f"{len(graph.name):x}ab" * 22, **proof)


@dataclass
class FakeRun:
    """A real replay of wobbly policies. `closed` tells whether its steps were given back."""

    request: RunRequest
    gate: threading.Event  # a run waits for it before its second chunk
    closed: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    tally: ReplayTally | None = None

    def steps(self) -> Iterator[Preparing | ReplayStep]:
        spec, episode = package(self.request.policy).spec, fake_episode(self.request.episode)
        reference = Variant.reference(spec)
        self.tally = ReplayTally(self._subject(reference))
        body = WobblyPolicy(spec, self.request.variant, episode.actions, self._think)
        beside = body if self.request.variant == reference else WobblyPolicy(spec, reference, episode.actions, self._think)
        try:
            for third in range(1, 4):
                yield Preparing("Quantizing the vision encoder", third / 3)
            for step in replay(body, beside, episode, seed=self.request.seed):
                if self.stopped.is_set():
                    return
                self.tally.add(step)
                yield step
        finally:
            self.closed.set()

    def _think(self, frame: int) -> None:
        while frame > 0 and not self.gate.wait(0.02) and not self.stopped.is_set():
            pass

    def stop(self) -> None:
        self.stopped.set()

    def _subject(self, reference: Variant) -> ReplaySubject:
        scale = ActionScale.of(np.zeros(6), np.full(6, 20.0), "episode")
        sizes = {graph.role: graph.size_bytes for graph in self.graphs()}
        return ReplaySubject(self.request.variant, reference, self.request.episode, self.request.seed, JOINTS, scale, sizes, "a stand-in")

    def report(self) -> ReplayReport:
        assert self.tally is not None
        return self.tally.report()

    def graphs(self) -> Sequence[StageGraph]:
        made = package(self.request.policy).graphs
        return [quantized(graph, self.request.variant.precision(graph.role)) for graph in made]

    def receipts(self) -> Sequence[Receipt]:
        """FP16 loses nothing, anything else a little."""
        return [Receipt(g, {}, (), {"out": 0.0 if g.precision == "fp16" else 0.0123}) for g in self.graphs() if g.precision != "fp32"]


def fake_episode(index: int) -> Episode:
    values = actions(index)

    def frame(i: int) -> Frame:
        return Frame(Observation({}, values[i], INSTRUCTION, captured_at=i / FPS), values[i])

    return Episode(index, FPS, JOINTS, INSTRUCTION, values, values, 6, False, frame)


@dataclass
class FakeReplays:
    """`folder` holds the videos of `write_videos`."""

    folder: Path
    gate: threading.Event = field(default_factory=set_event)  # cleared: runs stay in their first chunk
    runs: list[FakeRun] = field(default_factory=list)

    def episodes(self) -> Sequence[EpisodeCard]:
        return [EpisodeCard(i, "validation" if i < 2 else "test", 6 if i < 2 else i, False) for i in range(EPISODES)]

    def episode(self, index: int) -> PlayableEpisode:
        if not 0 <= index < EPISODES:
            raise UnknownEpisode(f"there is no episode {index}; there are 0 to {EPISODES - 1}")
        cameras = tuple(CameraFile(name, self.folder / f"{name}.mp4", index * FRAMES / FPS) for name in CAMERAS)
        return PlayableEpisode(self.episodes()[index], fake_episode(index), cameras)

    def run(self, request: RunRequest) -> FakeRun:
        self.runs.append(FakeRun(request, self.gate))
        return self.runs[-1]
