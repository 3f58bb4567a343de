"""Train ACT or the small SmolVLA on the twin's demonstrations, on CPU cores alone, in stages that can be stopped and resumed.

    uv run recipes/teabag/train.py --data runs/train --out runs/teabag/act --policy act --minutes 40
    uv run recipes/teabag/train.py --data runs/train --out runs/teabag/smolvla --policy smolvla --minutes 49

frames     decode the demonstrations once, shrunk to 96x128 (shared by both policies)
scenes     render labelled pictures of the twin (shared)
vision     pretrain the vision encoder on where things are in those pictures
features   the demonstrations' pictures through it, once
policy     train everything else on those features
finetune   train everything end to end on pictures
checkpoint write an ordinary LeRobot checkpoint folder (float16) and a half-precision state to resume from

Minutes are processor minutes of one core: each process uses one thread, so train the two policies side by side. The same command goes on
where it stopped (SIGTERM, or a file named `stop` in --out). `--stage checkpoint` also works while another process trains: a snapshot.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes of one thread do more here than one of two

import act
import numpy as np
import smolvla
import torch
from demonstrations import Demonstrations, chunks, open_demonstrations
from features import open_features
from geometry import GeometryNet, open_scenes, pretrain
from lerobot.policies.factory import make_pre_post_processors
from lerobot.processor.hil_processor import ImageCropResizeProcessorStep
from loop import Stage, StoppedEarly, compact, learned, train
from pictures import CAMERAS, SIZE, picture_stats
from scenes import render

from vla_demo.checkpoints.saving import save_checkpoint
from vla_demo.twin.scene import INSTRUCTION

STAGES = ("frames", "scenes", "vision", "features", "policy", "finetune", "checkpoint")
FAMILIES = {"act": act, "smolvla": smolvla}
_SEEN = (240, 320)  # height, width of the recorded pictures
_SCENES = 9000
_AVERAGE, _SHORT_AVERAGE = 0.998, 0.99


@dataclass(frozen=True, slots=True)
class Job:
    family: ModuleType
    data: tuple[Path, ...]
    out: Path
    shared: Path  # frames and scenes, for both policies
    minutes: float

    def stage(self, name: str, **settings: Any) -> Stage:
        family = self.family
        return Stage(name, self.out, self.minutes * family.SHARES[name], family.RATES[name], family.BATCHES[name], **settings)

    def demonstrations(self) -> Demonstrations:
        return open_demonstrations(self.data, self.shared / f"frames-{self._name}")

    def features(self) -> Path:
        """Where this policy's features of these demonstrations are kept."""
        return self.out / f"features-{self._name}.npy"

    @property
    def _name(self) -> str:
        return "-".join(folder.name for folder in self.data)

    def build(self) -> Any:
        torch.manual_seed(0)
        return self.family.build(self.out / "vlm", _SEEN, self.family.EXECUTE)


# --- stages ------------------------------------------------------------------------------------------------------------


def run_frames(job: Job) -> None:
    job.demonstrations()


def run_scenes(job: Job) -> None:
    folder = job.shared / "scenes"
    if not any(folder.glob("*_pictures.npy")):
        render(folder / "0", _SCENES, 1_000_000)


def run_vision(job: Job) -> None:
    scenes, policy = open_scenes(job.shared / "scenes"), job.build()
    net = GeometryNet(job.family.vision_of(policy), scenes.labels[scenes.trained])
    pretrain(job.stage("vision", weight_decay=1e-3), net, scenes)


def run_features(job: Job) -> None:
    open_features(job.family, _with_vision(job), job.demonstrations(), job.features())


def run_policy(job: Job) -> None:
    demos = job.demonstrations()
    policy = _with_vision(job)
    features = open_features(job.family, policy, demos, job.features())
    batches = Batches(job.family, policy, demos)
    model = job.family.use_features(policy).train()

    def loss_of(rng: np.random.Generator, size: int) -> torch.Tensor:
        rows = np.sort(rng.integers(0, len(features.frames), size))
        return job.family.loss_on_features(policy, features.maps[rows], batches.of(features.frames[rows]))

    train(job.stage("policy", average=_AVERAGE), model, loss_of)


def run_finetune(job: Job) -> None:
    if not job.stage("finetune").minutes:
        print("skipped: this policy's recipe gives it no time", flush=True)
        return
    demos = job.demonstrations()
    policy = _with_policy(job)
    batches = Batches(job.family, policy, demos)
    model = job.family.use_pictures(policy).train()

    def loss_of(rng: np.random.Generator, size: int) -> torch.Tensor:
        rows = np.sort(rng.integers(0, len(demos), size))
        return job.family.loss_on_pictures(policy, demos.pictures[rows], batches.of(rows))

    train(job.stage("finetune", average=_SHORT_AVERAGE), model, loss_of)


def run_checkpoint(job: Job) -> None:
    demos, policy = job.demonstrations(), _with_policy(job)
    latest = job.out / "policy.state.pt"
    if (job.out / "finetune.state.pt").is_file():
        latest = job.out / "finetune.state.pt"
        _load(policy, learned(latest))
    before, after = processors(policy, demos)
    save_checkpoint(policy, before, after, job.out / "checkpoint", joint_names=demos.joint_names)
    compact(latest, job.out / f"{latest.stem}.half.pt")
    print(f"wrote {job.out / 'checkpoint'} from {latest.name}", flush=True)


# --- pieces ------------------------------------------------------------------------------------------------------------


class Batches:
    """Normalized states and actions as LeRobot's preprocessor would make them, and the instruction's tokens."""

    def __init__(self, family: ModuleType, policy: Any, demos: Demonstrations) -> None:
        self._demos, self._length = demos, family.CHUNK
        stats = demos.stats()
        self._state, self._action = stats["observation.state"], stats["action"]
        self._words = _tokens(policy, demos)

    def of(self, frames: np.ndarray) -> dict[str, torch.Tensor]:
        actions, padded = chunks(self._demos, frames, self._length)
        state = torch.from_numpy(self._demos.states[frames])
        return {
            "observation.state": (state - self._state["mean"]) / (self._state["std"] + 1e-8),
            "action": (torch.from_numpy(actions) - self._action["mean"]) / (self._action["std"] + 1e-8),
            "action_is_pad": torch.from_numpy(padded),
        } | {key: value.expand(len(frames), -1) for key, value in self._words.items()}


def processors(policy: Any, demos: Demonstrations) -> tuple[Any, Any]:
    """LeRobot's pre- and postprocessor for this policy, with the resize in front."""
    pictures = {f"observation.images.{c}": picture_stats() for c in CAMERAS}
    before, after = make_pre_post_processors(policy.config, dataset_stats=demos.stats() | pictures)
    before.steps = [*before.steps[:1], ImageCropResizeProcessorStep(resize_size=SIZE), *before.steps[1:]]
    return before, after


def _tokens(policy: Any, demos: Demonstrations) -> dict[str, torch.Tensor]:
    before, _ = processors(policy, demos)
    blank = {f"observation.images.{c}": torch.zeros(3, *_SEEN) for c in CAMERAS}
    ready = before(blank | {"observation.state": torch.zeros(6), "task": INSTRUCTION})
    return {key: value for key, value in ready.items() if key.startswith("observation.language")}


def _with_vision(job: Job) -> Any:
    policy = job.build()
    state = torch.load(job.out / "vision.state.pt", weights_only=False)["model"]
    job.family.adopt_vision(policy, {n.removeprefix("encoder."): v for n, v in state.items() if n.startswith("encoder.")})
    return policy.eval()


def _with_policy(job: Job) -> Any:
    policy = _with_vision(job)
    _load(policy, learned(job.out / "policy.state.pt"))
    return policy


def _load(policy: Any, values: dict[str, torch.Tensor]) -> None:
    named = dict(policy.named_parameters())
    with torch.no_grad():
        for name, value in values.items():
            named[name.replace("backbone.inner.", "backbone.")].copy_(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("runs/train")], help="recorded demonstrations (LeRobot v3 folders)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--policy", choices=tuple(FAMILIES), required=True)
    parser.add_argument("--stage", choices=STAGES, help="only this one; default: all in order")
    parser.add_argument("--minutes", type=float, required=True, help="processor minutes for vision, policy and finetune together")
    parser.add_argument("--shared", type=Path, help="folder for frames and scenes; default: beside --out")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # Adam's tiny second moments are several times slower to compute with as denormals
    shared = arguments.shared or arguments.out.parent
    job = Job(FAMILIES[arguments.policy], tuple(arguments.data), arguments.out, shared, arguments.minutes)
    try:
        for name in [arguments.stage] if arguments.stage else STAGES:
            print(f"== {name}", flush=True)
            globals()[f"run_{name}"](job)
    except StoppedEarly as stopped:
        print(stopped, flush=True)
        sys.exit(3)  # so that nothing that was to follow takes the stage for finished


if __name__ == "__main__":
    main()
