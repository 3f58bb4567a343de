"""An episode as a person looks at it: a line in a list, its numbers, and videos a browser can play."""

from dataclasses import dataclass
from pathlib import Path

from vla_demo.core.observation import Episode
from vla_demo.episodes import Dataset

__all__ = ["CameraFile", "EpisodeCard", "PlayableEpisode", "episode_cards", "playable_episode"]


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """An episode as a picker lists it."""

    index: int
    split: str | None  # "train" | "validation" | "test"
    cluster: int | None
    is_recovery: bool


@dataclass(frozen=True, slots=True)
class CameraFile:
    """Where a browser finds one camera's pictures of one episode."""

    name: str
    file: Path  # mp4
    start: float  # s in that file


@dataclass(frozen=True, slots=True)
class PlayableEpisode:
    """An episode and its videos."""

    card: EpisodeCard
    episode: Episode
    cameras: tuple[CameraFile, ...]


def episode_cards(dataset: Dataset) -> tuple[EpisodeCard, ...]:
    """All episodes, in order of index."""
    return tuple(EpisodeCard(e.index, e.split, e.cluster, e.is_recovery) for e in dataset.episodes)


def playable_episode(dataset: Dataset, index: int) -> PlayableEpisode:
    """Raises `UnknownEpisode`, listing what there is."""
    episode = dataset.episode(index)
    card = next(c for c in episode_cards(dataset) if c.index == index)
    spans = {camera: dataset.video_file(index, camera) for camera in dataset.cameras}
    return PlayableEpisode(card, episode, tuple(CameraFile(name, span.file, span.start) for name, span in spans.items()))
