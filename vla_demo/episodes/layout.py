"""How LeRobot's dataset format v3 lays an episode out on disk: which file, which rows, which seconds of which video.

It parses what a stranger wrote and trusts nothing in it; it decodes nothing.
"""

import json
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vla_demo.core.errors import InvalidInput
from vla_demo.episodes.tables import read_columns

__all__ = ["ACTION", "INFO_FILE", "STATE", "STATS_FILE", "EpisodeRow", "Layout", "parse_layout", "read_rows"]

INFO_FILE = "meta/info.json"
STATS_FILE = "meta/stats.json"
FORMAT = "v3."
STATE, ACTION, PICTURES = "observation.state", "action", "observation.image"
PATH_FIELDS = {"video_key", "chunk_index", "file_index"}


@dataclass(frozen=True, slots=True)
class VideoPlace:
    """One camera's pictures of one episode: a stretch of a video file that holds several episodes."""

    path: str  # relative to the dataset
    start: float  # s in that file
    end: float  # s


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """Where one episode is."""

    index: int
    length: int  # frames
    instruction: str
    data_path: str  # parquet, relative to the dataset
    videos: Mapping[str, VideoPlace]  # by camera


@dataclass(frozen=True, slots=True)
class Layout:
    """The part of `meta/info.json` that a reader needs."""

    fps: float
    joint_names: tuple[str, ...]
    camera_keys: Mapping[str, str]  # camera name -> feature, e.g. "top" -> "observation.images.top"
    image_shapes: Mapping[str, tuple[int, int]]  # camera name -> (H, W)
    data_path: str  # templates
    video_path: str
    splits: Mapping[str, range]  # name -> episodes; empty when the dataset does not say


def parse_layout(text: str, name: str) -> Layout:
    """`text` is `meta/info.json`. Raises `InvalidInput` when it is not a v3 dataset with states, actions and video."""
    try:
        info = json.loads(text)
        version = str(info["codebase_version"])
        if not version.startswith(FORMAT):
            raise InvalidInput(f"{name} is in LeRobot format {version}; only v3 is read (LeRobot converts older datasets)")
        return _layout(info, name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{name}: {INFO_FILE} is not a LeRobot v3 description ({error!r})") from error


def _layout(info: Mapping[str, Any], name: str) -> Layout:
    features = info["features"]
    missing = [key for key in (STATE, ACTION) if key not in features]
    if missing:
        raise InvalidInput(f"{name} has no {' and no '.join(missing)}; its features are {', '.join(features)}")
    if features[STATE]["shape"] != features[ACTION]["shape"]:
        raise InvalidInput(f"{name}: state {features[STATE]['shape']} and action {features[ACTION]['shape']} differ in width")
    keys = {k.rsplit(".", 1)[-1]: k for k, feature in features.items() if k.startswith(PICTURES) and _is_color_video(feature)}
    if not keys:
        raise InvalidInput(f"{name} has no camera recorded as color video; its features are {', '.join(features)}")
    return Layout(
        fps=float(info["fps"]),
        joint_names=_joint_names(features[ACTION]),
        camera_keys=keys,
        image_shapes={camera: _height_width(features[key]) for camera, key in keys.items()},
        data_path=_safe_template(info["data_path"], name),
        video_path=_safe_template(info["video_path"], name),
        splits=dict(_splits(info.get("splits") or {})),
    )


def _splits(splits: Mapping[str, Any]) -> Iterator[tuple[str, range]]:
    """From {"train": "0:30"}. What is written in another way says nothing about any episode."""
    for split, episodes in splits.items():
        if found := re.fullmatch(r"(\d+):(\d+)", str(episodes)):
            yield split, range(int(found[1]), int(found[2]))


def _is_color_video(feature: Mapping[str, Any]) -> bool:
    details = feature.get("info") or {}
    return feature["dtype"] == "video" and not (details.get("is_depth_map") or details.get("video.is_depth_map"))


def _joint_names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """Names are a list, in older datasets a dict that holds one ({"motors": [...]}), or absent."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    width = int(feature["shape"][0])
    if not isinstance(names, list) or len(names) != width:
        return tuple(f"joint_{i + 1}" for i in range(width))
    return tuple(str(n) for n in names)


def _height_width(feature: Mapping[str, Any]) -> tuple[int, int]:
    sizes = dict(zip(feature.get("names") or ("height", "width", "channels"), feature["shape"], strict=True))
    return int(sizes["height"]), int(sizes["width"])


def _safe_template(template: str, name: str) -> str:
    """A path template may use the three fields of the format, and stays inside the dataset."""
    fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    path = PurePosixPath(template)
    if not fields <= PATH_FIELDS or path.is_absolute() or ".." in path.parts:
        raise InvalidInput(f"{name}: {INFO_FILE} names its files as {template!r}, which is not a path inside the dataset")
    return template


def read_rows(layout: Layout, files: Sequence[Path], name: str) -> tuple[EpisodeRow, ...]:
    """All episodes of the `meta/episodes` parquet files, in order of index. The statistics columns, most of the bytes, are not read."""
    columns = ["episode_index", "length", "tasks", "data/chunk_index", "data/file_index"]
    for key in layout.camera_keys.values():
        columns += [f"videos/{key}/{part}" for part in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")]
    rows = [_row(layout, dict(zip(columns, entry, strict=True))) for file in files for entry in _entries(file, columns, name)]
    return tuple(sorted(rows, key=lambda row: row.index))


def _entries(file: Path, columns: Sequence[str], name: str) -> Iterable[tuple[Any, ...]]:
    contents = read_columns(file, columns)
    if any(value is None for column in contents.values() for value in column):
        raise InvalidInput(f"{name}: {file.name} of meta/episodes has holes")
    return zip(*(contents[c] for c in columns), strict=True)


def _row(layout: Layout, entry: Mapping[str, Any]) -> EpisodeRow:
    place = {"chunk_index": entry["data/chunk_index"], "file_index": entry["data/file_index"]}
    videos = {camera: _video_place(layout, key, entry) for camera, key in layout.camera_keys.items()}
    instruction = entry["tasks"][0] if entry["tasks"] else ""
    return EpisodeRow(entry["episode_index"], entry["length"], instruction, layout.data_path.format(**place), videos)


def _video_place(layout: Layout, key: str, entry: Mapping[str, Any]) -> VideoPlace:
    chunk, file, start, end = (entry[f"videos/{key}/{p}"] for p in ("chunk_index", "file_index", "from_timestamp", "to_timestamp"))
    return VideoPlace(layout.video_path.format(video_key=key, chunk_index=chunk, file_index=file), float(start), float(end))
