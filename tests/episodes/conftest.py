"""Two tiny recorded episodes that every test of this room reads."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_demo.core.observation import Observation
from vla_demo.episodes.recording import EpisodeWriter, VideoEncoding

CAMERAS = ("top", "gripper")
JOINTS = ("shoulder_pan.pos", "elbow_flex.pos", "gripper.pos")
SHAPE = (48, 64)
INSTRUCTION = "Grab the tea bag and place it in the mug."


def moving_frames(count: int, seed: int) -> Iterator[tuple[Observation, NDArray[np.float32]]]:
    """Smooth pictures in which every frame differs: a bright bar walks over a colored slope, each camera its own way."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(30, 180, SHAPE[1], dtype=np.float32)[None, :, None] * rng.uniform(0.5, 1.0, (1, 1, 3))
    for i in range(count):
        images = {}
        for c, camera in enumerate(CAMERAS):
            picture = np.broadcast_to(slope, (*SHAPE, 3)).copy()
            left = (i * 2 + 20 * c) % (SHAPE[1] - 10)
            picture[:, left : left + 10] = 250
            images[camera] = picture.astype(np.uint8)
        joints = np.array([seed, i, 0.5 * i], dtype=np.float32)
        yield Observation(images, joints, INSTRUCTION, i / 30), joints + np.float32(1)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Episode 0: 23 frames, cluster 6, validation. Episode 1: 31 frames, cluster 2, a recovery. Both in one video file a camera."""
    folder = tmp_path_factory.mktemp("datasets") / "teabag"
    with EpisodeWriter(folder, CAMERAS, SHAPE, JOINTS, 30, VideoEncoding(crf=10, g=8)) as writer:
        writer.add(moving_frames(23, seed=3), INSTRUCTION, cluster=6, split="validation", seed=3)
        writer.add(moving_frames(31, seed=4), INSTRUCTION, cluster=2, is_recovery=True, split="train", seed=4)
    return folder
