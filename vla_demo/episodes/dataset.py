"""Reads a LeRobot dataset v3 lightly: numbers through pyarrow, pictures through PyAV, neither torch nor LeRobot.

It knows nothing of policies, and of the tea-bag protocol only what the sidecar says.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, UnknownEpisode
from vla_demo.core.observation import Episode, Frame, Observation
from vla_demo.episodes.layout import ACTION, INFO_FILE, STATE, STATS_FILE, EpisodeRow, Layout, parse_layout, read_rows
from vla_demo.episodes.sources import SourceFiles, files_of
from vla_demo.episodes.tables import read_columns
from vla_demo.episodes.tags import EpisodeTags, read_tags
from vla_demo.episodes.video import VideoCursor

__all__ = ["Dataset", "open_dataset"]


@dataclass(frozen=True, slots=True)
class EpisodeSummary:
    """An episode as a list shows it, without opening it."""

    index: int
    frames: int
    instruction: str
    cluster: int | None  # 1..11 of the tea-bag protocol; None when the dataset does not say
    is_recovery: bool
    split: str | None  # "train" | "validation" | "test"; None when the dataset does not say


@dataclass(frozen=True, slots=True)
class VideoSpan:
    """One camera's stretch of one episode in a file a browser can play."""

    file: Path
    start: float  # s
    end: float  # s


@dataclass(frozen=True, slots=True)
class Dataset:
    """An opened dataset. Nothing but `meta/` is read until an episode is asked for."""

    name: str  # the folder or Hub id it was opened from
    layout: Layout
    episodes: tuple[EpisodeSummary, ...]  # in order of index
    _files: SourceFiles
    _rows: Mapping[int, EpisodeRow] = field(repr=False)

    @property
    def fps(self) -> float:
        return self.layout.fps

    @property
    def joint_names(self) -> tuple[str, ...]:
        return self.layout.joint_names

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self.layout.camera_keys)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self._files.folder

    def summary(self, index: int) -> EpisodeSummary:
        """Raises `UnknownEpisode`, listing what there is."""
        self._row(index)
        return next(e for e in self.episodes if e.index == index)

    def episode(self, index: int) -> Episode:
        """Numbers now, pictures when `frame` asks. Raises `UnknownEpisode`, listing what there is."""
        row, summary = self._row(index), self.summary(index)
        states, actions, times = _read_numbers(self._files.file(row.data_path), row)
        cursors = {camera: VideoCursor(span.file, self.fps) for camera, span in self._spans(row).items()}
        recording = _Recording(row, states, actions, times, cursors)
        return Episode(
            index=index,
            fps=self.fps,
            joint_names=self.joint_names,
            instruction=row.instruction,
            states=states,
            actions=actions,
            cluster=summary.cluster,
            is_recovery=summary.is_recovery,
            frame=partial(_frame, recording),
        )

    def video_file(self, index: int, camera: str) -> VideoSpan:
        """Where a player finds that camera. Raises `UnknownEpisode` or `InvalidInput`, listing what there is."""
        row = self._row(index)
        if camera not in row.videos:
            raise InvalidInput(f"{self.name} has no camera {camera!r}; it has {', '.join(self.cameras)}")
        place = row.videos[camera]
        return VideoSpan(self._files.file(place.path), place.start, place.end)

    def action_statistics(self) -> Mapping[str, NDArray[np.float64]] | None:
        """Per-joint statistics of all recorded actions ("mean", "std", ... each (J,)); None when the dataset carries none."""
        file = self._files.folder / STATS_FILE
        if not file.is_file():
            return None
        stats = json.loads(file.read_text(encoding="utf-8")).get(ACTION, {})
        return {name: np.asarray(values, dtype=np.float64) for name, values in stats.items()}

    def _row(self, index: int) -> EpisodeRow:
        if index not in self._rows:
            raise UnknownEpisode(f"{self.name} has no episode {index}; it has {_ranges(self._rows)}")
        return self._rows[index]

    def _spans(self, row: EpisodeRow) -> dict[str, VideoSpan]:
        return {camera: self.video_file(row.index, camera) for camera in row.videos}


@dataclass(frozen=True, slots=True)
class _Recording:
    row: EpisodeRow
    states: NDArray[np.float32]  # (N, J)
    actions: NDArray[np.float32]  # (N, J)
    times: NDArray[np.float64]  # (N,) s from the start of the episode
    cursors: Mapping[str, VideoCursor]


def open_dataset(source: str | Path, revision: str | None = None) -> Dataset:
    """A LeRobot v3 folder, or a Hub id of which only the files asked for are fetched.

    Raises `UnknownEpisode` when there is no such dataset, `InvalidInput` when it is one this bench cannot replay.
    """
    files = files_of(source, revision)
    name = str(source)
    layout = parse_layout((files.folder / INFO_FILE).read_text(encoding="utf-8"), name)
    rows = read_rows(layout, sorted(files.folder.glob("meta/episodes/**/*.parquet")), name)
    if not rows:
        raise UnknownEpisode(f"{name} has no episodes")
    tags = read_tags(files.folder)
    return Dataset(name, layout, tuple(_summary(row, tags, layout) for row in rows), files, {row.index: row for row in rows})


def _summary(row: EpisodeRow, tags: Mapping[int, EpisodeTags], layout: Layout) -> EpisodeSummary:
    """The sidecar knows better than `meta/info.json`, which in datasets recorded without thought calls everything training."""
    tag = tags.get(row.index, EpisodeTags(row.index))
    listed = next((split for split, episodes in layout.splits.items() if row.index in episodes), None)
    return EpisodeSummary(row.index, row.length, row.instruction, tag.cluster, tag.is_recovery, tag.split or listed)


def _read_numbers(file: Path, row: EpisodeRow) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """States (N, J), actions (N, J), times (N,) of one episode."""
    columns = read_columns(file, [STATE, ACTION, "timestamp", "frame_index", "episode_index"], only=("episode_index", row.index))
    (mine,) = np.nonzero(np.array(columns["episode_index"]) == row.index)
    if len(mine) != row.length:
        raise InvalidInput(f"{file} holds {len(mine)} frames of episode {row.index}, meta/episodes promises {row.length}")
    order = mine[np.argsort(np.array(columns["frame_index"])[mine], kind="stable")]
    states, actions = (np.array([columns[key][i] for i in order], dtype=np.float32) for key in (STATE, ACTION))
    return states, actions, np.array(columns["timestamp"], dtype=np.float64)[order]


def _frame(recording: _Recording, index: int) -> Frame:
    if not 0 <= index < recording.row.length:
        raise IndexError(f"episode {recording.row.index} has frames 0 to {recording.row.length - 1}, not {index}")
    at = float(recording.times[index])
    videos = recording.row.videos
    images = {camera: cursor.picture(videos[camera].start + at) for camera, cursor in recording.cursors.items()}
    observation = Observation(images, recording.states[index], recording.row.instruction, captured_at=at)
    return Frame(observation, recording.actions[index])


def _ranges(indices: Iterable[int]) -> str:
    """`[0, 1, 2, 7]` as "0-2, 7"."""
    there = set(indices)
    starts, ends = sorted(i for i in there if i - 1 not in there), sorted(i for i in there if i + 1 not in there)
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
