"""A small bench: a recorded dataset that fits the tiny packages, and a cache of its own."""

from pathlib import Path

import pytest

from tests.fakes import CAMERAS, INSTRUCTION, JOINTS, fake_episode
from vla_demo.episodes import Dataset, open_dataset
from vla_demo.episodes.recording import EpisodeWriter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def episodes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes of 20 frames: validation in cluster 6, then a test recovery in cluster 3."""
    folder = tmp_path_factory.mktemp("recorded") / "episodes"
    with EpisodeWriter(folder, CAMERAS, (48, 64), [f"{joint}.pos" for joint in JOINTS], 30) as writer:
        for index, tags in enumerate([{"cluster": 6, "split": "validation"}, {"cluster": 3, "split": "test", "is_recovery": True}]):
            episode = fake_episode(index, frames=20)
            frames = [episode.frame(i) for i in range(len(episode))]
            writer.add([(f.observation, f.action) for f in frames], INSTRUCTION, **tags)
    return folder


@pytest.fixture
def dataset(episodes_folder: Path) -> Dataset:
    return open_dataset(episodes_folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # a child process finds the tests' work
    return tmp_path / "cache"
