"""Vision pretraining on privileged geometry: from one picture, where are bag, mug and fingers in this camera's frame, and the arm's joints?

It stands in for ImageNet weights, which are out of reach without network: a policy then learns from features that know what matters.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from loop import Stage, train
from numpy.typing import NDArray
from pictures import CAMERAS, SIZE, as_input
from scenes import DIRECTIONS, FLAGS, JOINTS, LABELS, POINT_LABELS
from torch import nn

__all__ = ["GeometryNet", "Scenes", "errors", "open_scenes", "pretrain"]

_HELD_BACK = 300  # scenes of each file that are not trained on
_BETA = 0.2  # standard deviations, where the loss turns from square to linear
_WEIGHTS = {"points": 1.0, "directions": 0.5, "flags": 0.3, "joints": 0.3}


@dataclass(frozen=True, slots=True)
class Scenes:
    pictures: tuple[NDArray[np.uint8], ...]  # files of (n, 3, 96, 128, 3), memory-mapped
    labels: NDArray[np.float32]  # (N, 3, 21), all files
    where: NDArray[np.int64]  # (N, 2) file and row
    trained: NDArray[np.int64]  # indices
    held_back: NDArray[np.int64]

    def pick(self, scene: NDArray[np.int64], camera: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack([self.pictures[f][r, c] for (f, r), c in zip(self.where[scene], camera, strict=True)])


def open_scenes(folder: Path) -> Scenes:
    files = sorted(folder.glob("*_pictures.npy"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no scenes; render some with scenes.py first")
    pictures = tuple(np.load(f, mmap_mode="r") for f in files)
    labels = np.concatenate([np.load(str(f).replace("_pictures", "_labels")) for f in files])
    where = np.concatenate([np.stack([np.full(len(p), i), np.arange(len(p))], 1) for i, p in enumerate(pictures)])
    last = np.concatenate([np.arange(len(p)) >= len(p) - _HELD_BACK for p in pictures])
    return Scenes(pictures, labels, where, np.flatnonzero(~last), np.flatnonzero(last))


class GeometryNet(nn.Module):
    """An encoder and a small head with one output row a camera; labels are standardized per camera."""

    def __init__(self, encoder: nn.Module, labels: NDArray[np.float32]) -> None:
        super().__init__()
        self.encoder = encoder
        self.squeeze = nn.Linear(encoder.width, 96)
        self.mix = nn.Linear(encoder.cells * 96, 256)
        self.out = nn.Linear(256, len(CAMERAS) * LABELS)
        self.register_buffer("mean", torch.from_numpy(np.nanmean(labels, 0)))
        self.register_buffer("std", torch.from_numpy(np.nanstd(labels, 0) + 0.02))

    def forward(self, pictures: torch.Tensor, camera: torch.Tensor) -> torch.Tensor:
        """(B, 21) standardized."""
        cells = torch.relu(self.squeeze(self.encoder(pictures).float()))
        rows = self.out(torch.relu(self.mix(cells.flatten(1)))).view(-1, len(CAMERAS), LABELS)
        return rows[torch.arange(len(rows)), camera]


def pretrain(stage: Stage, net: GeometryNet, scenes: Scenes) -> None:
    """Train until the stage's time is up, then print what the held-back scenes say."""
    weights = _label_weights()

    def loss_of(rng: np.random.Generator, batch: int) -> torch.Tensor:
        scene, camera = rng.choice(scenes.trained, batch), rng.integers(0, len(CAMERAS), batch)
        which = torch.from_numpy(camera)
        target = (torch.from_numpy(scenes.labels[scene, camera]) - net.mean[which]) / net.std[which]
        known = ~target.isnan()
        error = nn.functional.smooth_l1_loss(
            net(as_input(scenes.pick(scene, camera)), which), target.nan_to_num(), reduction="none", beta=_BETA
        )
        return (error * known * weights).sum() / (known * weights).sum()

    net.train()
    train(stage, net, loss_of)
    print(stage.name, errors(net, scenes), flush=True)


@torch.no_grad()
def errors(net: GeometryNet, scenes: Scenes) -> dict[str, dict[str, float]]:
    """Median errors on held-back scenes, per camera: points in pixels of the 96x128 picture, the string in degrees, joints in degrees."""
    net.eval()
    found = {}
    for c, name in enumerate(CAMERAS):
        camera = np.full(len(scenes.held_back), c)
        rows = [
            net(as_input(scenes.pick(part, camera[: len(part)])), torch.from_numpy(camera[: len(part)]))
            for part in np.array_split(scenes.held_back, 10)
        ]
        guess = (torch.cat(rows) * net.std[c] + net.mean[c]).numpy()
        truth = scenes.labels[scenes.held_back, c]
        found[name] = _medians(guess, truth)
    net.train()
    return found


def _medians(guess: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, float]:
    half = np.array([SIZE[1], SIZE[0]]) / 2
    pixels = {p: np.hypot(*((guess - truth)[:, 3 * i : 3 * i + 2] * half).T) for i, p in enumerate(("bag", "mug", "tip"))}
    angle = np.arctan2(*guess[:, [10, 9]].T) - np.arctan2(*truth[:, [10, 9]].T)
    turned = np.degrees(np.abs((angle + np.pi) % (2 * np.pi) - np.pi))
    joints = np.abs(guess - truth)[:, JOINTS].mean(1)
    return {k: round(float(np.nanmedian(v)), 2) for k, v in {**pixels, "string": turned, "joints": joints}.items()}


def _label_weights() -> torch.Tensor:
    weights = torch.zeros(LABELS)
    for part, columns in zip(("points", "directions", "flags", "joints"), (POINT_LABELS, DIRECTIONS, FLAGS, JOINTS), strict=True):
        weights[columns] = _WEIGHTS[part]
    return weights
