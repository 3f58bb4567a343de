"""Stand-ins for what is slow or real, kept as files: a policy, episodes, a clock, tiny exported packages. None of them needs torch.

policy = FakePolicy(act_spec(), error=0.5)          # answers at once; `error` plays the quantized variant
episode = fake_episode(frames=60)                   # smooth joints, a moving square in every camera
package = tiny_act_package(tmp_path / "act")        # a real package: ONNX graphs, manifest, open_policy runs it
package = tiny_smolvla_package(tmp_path / "vla")    # the same with language and denoising
policy.predict_chunk(observation(), noise=noise(policy.spec))
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.tiny_packages import CAMERAS, JOINTS, act_spec, smolvla_spec, tiny_act_package, tiny_smolvla_package
from tests.waiting import stall
from vla_demo.core.observation import ActionChunk, Episode, Frame, Observation
from vla_demo.core.policy import PolicySpec

__all__ = [
    "CAMERAS",
    "INSTRUCTION",
    "JOINTS",
    "FakePolicy",
    "ManualClock",
    "act_spec",
    "fake_episode",
    "noise",
    "observation",
    "smolvla_spec",
    "tiny_act_package",
    "tiny_smolvla_package",
]

INSTRUCTION = "Grab the tea bag and place it in the mug."
FPS = 30.0


@dataclass
class FakePolicy:
    """Continues from the observed joints along a gentle slope; noise moves it a little, `error` shifts every action."""

    spec: PolicySpec = field(default_factory=lambda: act_spec())
    error: float = 0.0  # dataset units added to every action
    delay_s: float = 0.0  # real seconds a chunk takes
    asked: list[Observation] = field(default_factory=list)  # every observation it was given
    resets: int = 0

    def reset(self) -> None:
        self.resets += 1

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        assert (noise is None) == (self.spec.noise_shape is None)
        stall(self.delay_s)
        self.asked.append(observation)
        ticks = np.arange(self.spec.chunk_size, dtype=np.float32)[:, None]
        wander = 0.0 if noise is None else 0.1 * noise[:, : len(self.spec.joint_names)]
        actions = observation.joints + 0.2 * ticks + wander + self.error
        stage_ms = {stage.role: 2.0 + i for i, stage in enumerate(self.spec.stages)}
        return ActionChunk(actions.astype(np.float32), observation.captured_at, stage_ms)


@dataclass
class ManualClock:
    """Time passes when somebody sleeps or `advance` is called."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep_until(self, moment: float) -> None:
        self.seconds = max(self.seconds, moment)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


def observation(seed: int = 0, *, size: tuple[int, int] = (48, 64), instruction: str = INSTRUCTION) -> Observation:
    """Random pictures of `size` (height, width) from all cameras and random joints."""
    generator = np.random.default_rng(seed)
    images = {camera: generator.integers(0, 256, (*size, 3), dtype=np.uint8) for camera in CAMERAS}
    joints = generator.uniform(-60, 60, len(JOINTS)).astype(np.float32)
    return Observation(images, joints, instruction, captured_at=seed / FPS)


def noise(spec: PolicySpec, seed: int = 0) -> NDArray[np.float32] | None:
    """Seeded noise for a policy that denoises, None for one that does not."""
    if spec.noise_shape is None:
        return None
    return np.random.default_rng(seed).standard_normal(spec.noise_shape, dtype=np.float32)


def fake_episode(
    index: int = 0, frames: int = 60, *, size: tuple[int, int] = (48, 64), cluster: int | None = 6, is_recovery: bool = False
) -> Episode:
    """Joints on slow sine waves; the commanded joints lead the measured ones by a tick. Pictures are painted when asked for."""
    phases = np.arange(frames + 1)[:, None] / FPS + np.arange(len(JOINTS)) + index
    joints = (40 * np.sin(phases)).astype(np.float32)
    states, actions = joints[:-1], joints[1:]

    def frame(i: int) -> Frame:
        if not 0 <= i < frames:
            raise IndexError(i)
        images = {camera: _picture(size, i + 7 * c) for c, camera in enumerate(CAMERAS)}
        return Frame(Observation(images, states[i], INSTRUCTION, captured_at=i / FPS), actions[i])

    return Episode(index, FPS, JOINTS, INSTRUCTION, states, actions, cluster, is_recovery, frame)


def _picture(size: tuple[int, int], moment: int) -> NDArray[np.uint8]:
    height, width = size
    picture = np.full((height, width, 3), 90, np.uint8)
    left = moment * 2 % max(width - 8, 1)
    picture[height // 3 : height // 3 + 8, left : left + 8] = (220, 120, 40)
    return picture
