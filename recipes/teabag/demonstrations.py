"""The recorded demonstrations in memory: shrunk pictures (memory-mapped, decoded once), joints, actions, and where episodes end."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pictures import CAMERAS, SIZE, shrink

from vla_demo.episodes.dataset import open_dataset

__all__ = ["Demonstrations", "chunks", "open_demonstrations"]

_AT_ONCE = 64  # pictures


@dataclass(frozen=True, slots=True)
class Demonstrations:
    pictures: NDArray[np.uint8]  # (N, 3, 96, 128, 3), memory-mapped
    states: NDArray[np.float32]  # (N, 6) dataset units
    actions: NDArray[np.float32]  # (N, 6) dataset units
    ends: NDArray[np.int64]  # (N,) for each frame the index after its episode's last frame
    joint_names: tuple[str, ...]
    instruction: str

    def __len__(self) -> int:
        return len(self.states)

    def stats(self) -> dict[str, dict[str, torch.Tensor]]:
        """Mean and standard deviation as LeRobot's normalizers want them."""
        numbers = {"observation.state": self.states, "action": self.actions}
        return {key: {"mean": torch.from_numpy(v.mean(0)), "std": torch.from_numpy(v.std(0))} for key, v in numbers.items()}


def open_demonstrations(folders: Sequence[Path], cache: Path, jobs: int = 2) -> Demonstrations:
    """LeRobot v3 folders, one after the other; their videos are decoded and shrunk into `cache` the first time."""
    datasets = [open_dataset(folder) for folder in folders]
    listed = [(folder, summary.index) for folder, dataset in zip(folders, datasets, strict=True) for summary in dataset.episodes]
    episodes = [dataset.episode(summary.index) for dataset in datasets for summary in dataset.episodes]
    lengths = np.array([len(e) for e in episodes])
    file = cache / "pictures.npy"
    if not file.is_file():
        _decode(file, lengths, listed, jobs)
    return Demonstrations(
        pictures=np.load(file, mmap_mode="r"),
        states=np.concatenate([e.states for e in episodes]),
        actions=np.concatenate([e.actions for e in episodes]),
        ends=np.repeat(np.cumsum(lengths), lengths),
        joint_names=datasets[0].joint_names,
        instruction=episodes[0].instruction,
    )


def chunks(demos: Demonstrations, frames: NDArray[np.int64], length: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Actions (B, length, 6) from each frame on, and which of them lie after the episode's end (there the last action is repeated)."""
    steps = frames[:, None] + np.arange(length)
    last = demos.ends[frames][:, None] - 1
    return demos.actions[np.minimum(steps, last)], steps > last


def _decode(file: Path, lengths: NDArray[np.int64], listed: list[tuple[Path, int]], jobs: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npy")
    np.lib.format.open_memmap(part, "w+", np.uint8, (int(lengths.sum()), len(CAMERAS), *SIZE, 3)).flush()
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    work = [(*which, int(start), int(length)) for which, start, length in zip(listed, starts, lengths, strict=True)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(partial(_decode_episode, part), work), 1):
            if done % 20 == 0:
                print(f"decoded {done}/{len(work)} episodes", flush=True)
    os.replace(part, file)


def _decode_episode(part: Path, work: tuple[Path, int, int, int]) -> None:
    torch.set_num_threads(1)
    data, index, start, length = work
    out = np.load(part, mmap_mode="r+")
    episode = open_dataset(data).episode(index)
    for block in range(0, length, _AT_ONCE):
        frames = [episode.frame(i).observation.images for i in range(block, min(block + _AT_ONCE, length))]
        for c, camera in enumerate(CAMERAS):
            out[start + block : start + block + len(frames), c] = shrink(np.stack([f[camera] for f in frames]))
    out.flush()
