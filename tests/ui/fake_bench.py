"""A small synthetic world behind the page: real H.264 videos, two policies of known shape, runs that can be held. No model, no torch."""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.fakes import INSTRUCTION, JOINTS, act_spec, smolvla_spec
from tests.ui.fake_batch import FakeRolling, filmed, report
from tests.ui.fake_loop import CAMERAS, FakeActing, picture, shot
from tests.ui.fake_robot import FACTS, TOKEN, FakeBoard, FakeRobot
from tests.ui.sample_report import sample_report
from vla_demo.core.errors import BoardError, CheckpointError, UnknownEpisode
from vla_demo.core.observation import ActionChunk, Episode, Frame, Observation
from vla_demo.core.package import PolicyPackage, Preprocessing, StageGraph, VectorRecipe
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource, measured_latency, published_latency
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.replay import ReplayReport, ReplayStep, replay
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.evaluation.tally import ReplaySubject, ReplayTally
from vla_demo.runtime.graph_store import Receipt
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.recordings import CameraFile, EpisodeCard, Recording
from vla_demo.workbench.replay.run import RunRequest
from vla_demo.workbench.robot.latencies import BoardLatency
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.live import LiveRequest
from vla_demo.workbench.rollout.scenes import Pictures, StartCard
from vla_demo.workbench.rollout.shipped import MeasuredRollout

FPS = 30.0
FRAMES = 150
EPISODES = 4
RECIPE = "mixed-0123456789ab"
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


def package(name: str) -> PolicyPackage:
    """A manifest's content without files: the page reads stages, bytes and counts, and never opens a graph."""
    spec = replace(smolvla_spec() if name == "smolvla" else act_spec(), chunk_size=50, n_action_steps=50)
    sizes = {"vision": 1_400_000, "prefix": 3_400_000, "context": 200_000, "step": 4_600_000, "transformer": 5_200_000}
    graphs = [
        StageGraph(stage.role, g.name, "fp32", f"{g.name}.onnx", sizes[g.name], "0" * 64, 20, 0)
        for stage in spec.stages
        for g in stage.graphs
    ]
    vector = VectorRecipe("IDENTITY", {}, 0.0, None)
    return PolicyPackage(Path(name), spec, tuple(graphs), Preprocessing({}, vector, vector, None), {}, {})


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


def set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeBench:
    """`folder` holds the videos of `write_videos`."""

    folder: Path
    gate: threading.Event = field(default_factory=set_event)  # cleared: runs stay in their first chunk
    timed_there: tuple[BoardLatency, ...] = ()  # of the ACT on a board
    opened: threading.Event = field(default_factory=set_event)  # cleared: packages go on being prepared
    runs: list[FakeRun] = field(default_factory=list)
    acted: list[FakeActing] = field(default_factory=list)
    computed: threading.Event = field(default_factory=threading.Event)  # a computation has ended, one way or another
    rolled: list[FakeRolling] = field(default_factory=list)
    filmed: list[tuple[RolloutRequest, int, int]] = field(default_factory=list)
    film_ended: threading.Event = field(default_factory=threading.Event)
    trials: list[RobotTrial] = field(default_factory=list)
    board: FakeBoard = field(default_factory=FakeBoard)
    warmed: threading.Event = field(default_factory=threading.Event)

    def bundled(self) -> Mapping[str, str]:
        return {"act": "ACT · tea bag (bundled)", "smolvla": "SmolVLA · tea bag (bundled)"}

    def video_folders(self) -> Sequence[Path]:
        return [self.folder]

    def fps(self) -> float:
        return FPS

    def episodes(self) -> Sequence[EpisodeCard]:
        return [EpisodeCard(i, "validation" if i < 2 else "test", 6 if i < 2 else i, False) for i in range(EPISODES)]

    def recording(self, index: int) -> Recording:
        if not 0 <= index < EPISODES:
            raise UnknownEpisode(f"there is no episode {index}; there are 0 to {EPISODES - 1}")
        cameras = tuple(CameraFile(name, self.folder / f"{name}.mp4", index * FRAMES / FPS) for name in CAMERAS)
        return Recording(self.episodes()[index], fake_episode(index), cameras)

    def recipes(self, family: str) -> Mapping[str, Mapping[str, str]]:
        return {"expert": {RECIPE: "INT8 in 18 of 20 layers, FP32 in the rest."}}

    def sketch(self, source: str) -> PolicySpec | None:
        return package(source).spec if source in self.bundled() else None

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        if source not in self.bundled():
            raise CheckpointError(f"{source} is neither a folder nor a policy on the Hub; bundled are act and smolvla")
        while not self.opened.wait(0.05):
            yield Preparing("Exporting the vision encoder", 0.3)
        yield package(source)

    def run(self, request: RunRequest) -> FakeRun:
        self.runs.append(FakeRun(request, self.gate))
        return self.runs[-1]

    def trap_report(self, source: str) -> SensitivityReport | None:
        return sample_report(source) if source in self.bundled() else None

    def compute_trap(self, source: str) -> Generator[Preparing | SensitivityReport]:
        try:
            for done in range(1, 5):
                yield Preparing(f"Vision encoder in INT4: {done} of 4 observations", done / 4)
                while done == 2 and not self.gate.wait(0.05):
                    yield Preparing("Vision encoder in INT4: 2 of 4 observations", 0.5)
            made = sample_report(source)
            yield replace(made, computed=replace(made.computed, machine="another stand-in"))
        finally:
            self.computed.set()

    def loop_starts(self) -> Sequence[StartCard]:
        return [StartCard(301000, "test", 1), StartCard(302000, "test", 2), StartCard(206000, "validation", 6)]

    def loop_scene(self, start: int) -> Pictures:
        return shot(start % 97, CAMERAS)

    def time_here(self, policy: str, variant: Variant) -> Iterator[Preparing | LatencySource]:
        yield Preparing("Timing some inferences on this machine")
        yield measured_latency([0.412], "a stand-in")

    def act(self, request: LiveRequest) -> FakeActing:
        self.acted.append(FakeActing(request, self.gate, package(request.policy).spec))
        return self.acted[-1]

    def roll_out(self, policy: str, request: RolloutRequest) -> FakeRolling:
        self.rolled.append(FakeRolling(request, self.loop_starts(), self.gate))
        return self.rolled[-1]

    def film(self, policy: str, request: RolloutRequest, start: int, ticks: int) -> Generator[Preparing | Path]:
        self.filmed.append((request, start, ticks))
        return filmed(self.folder / "left.mp4", self.gate, self.film_ended)

    def measured_rollouts(self) -> Sequence[MeasuredRollout]:
        """One row, of the checkpoint as it is, and one of another revision."""
        spec = package("act").spec
        request = RolloutRequest(Variant.reference(spec), published_latency(spec, Variant.reference(spec)), mode="sync")
        found = report(self.loop_starts(), request)
        return [MeasuredRollout("act", spec.revision, found), MeasuredRollout("act", "another", found)]

    def simulated_robot(self, holder: str) -> Iterator[Preparing | FakeRobot]:
        yield Preparing("Starting the simulated board")
        self.board.recordings.folder = self.folder
        yield FakeRobot(self.board, holder)

    def robot(self, address: str, token: str, holder: str, certificate: str = "") -> FakeRobot:
        if address != FACTS.address:
            raise BoardError("the board cannot be reached: connection refused")
        if token != TOKEN:
            raise BoardError("the board wants its token, and this is not it")
        return FakeRobot(self.board, holder, replace(FACTS, kind="so101"))

    def keep_trial(self, trial: RobotTrial) -> None:
        self.trials.append(trial)

    def robot_rates(self) -> Sequence[RobotRate]:
        if not self.trials:
            return ()
        judged = {trial.task: trial for trial in self.trials}.values()
        done, n = sum(trial.success for trial in judged), len(judged)
        return [RobotRate("bench twin", "twin", "act", self.trials[0].variant, done, n, wilson_interval(done, n), 0.25, 2)]

    def board_latencies(self, spec: PolicySpec) -> Sequence[BoardLatency]:
        return self.timed_there if spec.family == "act" else ()

    def warm_up(self) -> None:
        self.warmed.set()
