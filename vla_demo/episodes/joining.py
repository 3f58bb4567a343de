"""Several recordings, each a LeRobot dataset v3 of one episode, as one dataset. Videos are copied as they are; nothing is encoded again."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vla_demo.core.errors import InvalidInput
from vla_demo.core.folders import whole_folder
from vla_demo.core.recorded import RecordedEpisode, read_recorded
from vla_demo.episodes.feature_stats import FeatureStats
from vla_demo.episodes.layout import ACTION, INFO_FILE, STATE, STATS_FILE, Layout, parse_layout
from vla_demo.episodes.light_dataset import CameraFacts, LightEpisode, data_file, video_file, video_key, write_metadata, write_numbers
from vla_demo.episodes.tables import read_columns

__all__ = ["join_recordings"]


def join_recordings(recordings: Sequence[Path], out: Path) -> tuple[RecordedEpisode, ...]:
    """`out` appears whole or not at all, with the episodes in this order.

    Raises `InvalidInput` for recordings that are damaged, or of different joints, cameras or frame rates, and `OSError`.
    """
    if not recordings:
        raise InvalidInput("choose at least one episode")
    layouts = [_layout(folder) for folder in recordings]
    for folder, layout in zip(recordings, layouts, strict=True):
        _check_alike(folder, layout, recordings[0], layouts[0])
    with whole_folder(out) as making:
        episodes = [_recorded(folder) for folder in recordings]
        tasks = list(dict.fromkeys(episode.instruction for episode in episodes))
        first = 0
        for index, (folder, episode) in enumerate(zip(recordings, episodes, strict=True)):
            _copy(folder, making, index, (first, tasks.index(episode.instruction)), layouts[0])
            first += episode.frames
        cameras = [CameraFacts(camera, *layouts[0].image_shapes[camera]) for camera in layouts[0].camera_keys]
        light = [LightEpisode(episode, _stats(folder, layouts[0])) for folder, episode in zip(recordings, episodes, strict=True)]
        write_metadata(making, layouts[0].joint_names, cameras, light)
    out.chmod(0o755)
    return tuple(episodes)


def _layout(folder: Path) -> Layout:
    try:
        return parse_layout((folder / INFO_FILE).read_text(encoding="utf-8"), folder.name)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{folder} is not a LeRobot dataset: {error}") from error


def _recorded(folder: Path) -> RecordedEpisode:
    episodes = read_recorded(folder)
    if len(episodes) != 1:
        raise InvalidInput(f"{folder} is not a recording of one episode, it has {len(episodes)}")
    return episodes[0]


def _check_alike(folder: Path, layout: Layout, other: Path, wanted: Layout) -> None:
    for what in ("fps", "joint_names", "image_shapes"):
        if getattr(layout, what) != getattr(wanted, what):
            raise InvalidInput(
                f"{folder.name} has other {what} than {other.name}: {getattr(layout, what)}, not {getattr(wanted, what)}; "
                "such episodes do not fit into one dataset"
            )


def _copy(folder: Path, making: Path, index: int, place: tuple[int, int], layout: Layout) -> None:
    """`place`: how many frames come before, and which task it is."""
    columns = read_columns(folder / data_file(0), [STATE, ACTION])
    states, actions = (np.array(columns[key], np.float32) for key in (STATE, ACTION))
    write_numbers(making, index, *place, (states, actions, layout.fps))
    for camera in layout.camera_keys:
        target = making / video_file(camera, index)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / video_file(camera, 0), target)


def _stats(folder: Path, layout: Layout) -> Mapping[str, FeatureStats]:
    try:
        found: Mapping[str, Any] = json.loads((folder / STATS_FILE).read_text(encoding="utf-8"))
        names = [STATE, ACTION, *(video_key(camera) for camera in layout.camera_keys)]
        return {name: {key: np.asarray(value, np.float64) for key, value in found[name].items()} for name in names}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{folder / STATS_FILE} does not hold the statistics of an episode ({error!r})") from error
