"""Writes the files of a LeRobot dataset v3 around episodes that are there already: with pyarrow alone, for a board has no torch.

Each episode keeps a parquet and a video file of its own, which the format allows: joining episodes then re-encodes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.recorded import RecordedEpisode, write_recorded
from vla_demo.episodes.feature_stats import FeatureStats, pooled
from vla_demo.episodes.layout import ACTION, INFO_FILE, STATE, STATS_FILE

__all__ = ["CameraFacts", "LightEpisode", "data_file", "video_file", "video_key", "write_metadata", "write_numbers"]

ROBOT_TYPE = "so101_follower"
_FILES_A_CHUNK = 1000
_DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
_EPISODES = "meta/episodes/chunk-000/file-000.parquet"
_TASKS = "meta/tasks.parquet"


@dataclass(frozen=True, slots=True)
class CameraFacts:
    name: str
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class LightEpisode:
    """One episode of a dataset whose numbers and videos have been written."""

    recorded: RecordedEpisode
    stats: Mapping[str, FeatureStats]  # of states and actions (J,), as `column_stats` makes them, and of pictures (3, 1, 1)


def video_key(camera: str) -> str:
    return f"observation.images.{camera}"


def data_file(episode: int) -> str:
    """Of an episode's numbers, relative to the dataset."""
    return _DATA.format(chunk_index=episode // _FILES_A_CHUNK, file_index=episode % _FILES_A_CHUNK)


def video_file(camera: str, episode: int) -> str:
    return _VIDEO.format(video_key=video_key(camera), chunk_index=episode // _FILES_A_CHUNK, file_index=episode % _FILES_A_CHUNK)


def write_numbers(dataset: Path, episode: int, first: int, task: int, rows: tuple[NDArray[np.float32], NDArray[np.float32], float]) -> None:
    """`rows` are states (N, J), actions (N, J) and the frame rate; `first` is how many frames the episodes before have."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    states, actions, fps = rows
    count = len(states)
    frames = np.arange(count, dtype=np.int64)
    columns = {
        STATE: _vectors(states),
        ACTION: _vectors(actions),
        "timestamp": pa.array((frames / fps).astype(np.float32)),
        "frame_index": pa.array(frames),
        "episode_index": pa.array(np.full(count, episode, np.int64)),
        "index": pa.array(frames + first),
        "task_index": pa.array(np.full(count, task, np.int64)),
    }
    file = dataset / data_file(episode)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)


def write_metadata(dataset: Path, joint_names: Sequence[str], cameras: Sequence[CameraFacts], episodes: Sequence[LightEpisode]) -> None:
    """All of `meta/`. The episodes are of one frame rate."""
    tasks = list(dict.fromkeys(episode.recorded.instruction for episode in episodes))
    _write_json(dataset / INFO_FILE, _info(joint_names, cameras, episodes, len(tasks)))
    features = list(episodes[0].stats)
    total = {name: _plain(pooled([episode.stats[name] for episode in episodes])) for name in features}
    _write_json(dataset / STATS_FILE, total)
    _write_tasks(dataset / _TASKS, tasks)
    _write_episodes(dataset / _EPISODES, cameras, episodes)
    write_recorded(dataset, [episode.recorded for episode in episodes])


def _info(joint_names: Sequence[str], cameras: Sequence[CameraFacts], episodes: Sequence[LightEpisode], tasks: int) -> dict[str, Any]:
    fps = round(episodes[0].recorded.fps)
    joints = {"dtype": "float32", "shape": [len(joint_names)], "names": list(joint_names)}
    index = {"dtype": "int64", "shape": [1], "names": None}
    features: dict[str, Any] = {STATE: joints, ACTION: joints}
    features |= {video_key(camera.name): _video_feature(camera, fps) for camera in cameras}
    features |= {"timestamp": {"dtype": "float32", "shape": [1], "names": None}}
    features |= dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), index)
    return {
        "codebase_version": "v3.0",
        "fps": fps,
        "features": features,
        "total_episodes": len(episodes),
        "total_frames": sum(episode.recorded.frames for episode in episodes),
        "total_tasks": tasks,
        "chunks_size": _FILES_A_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "data_path": _DATA,
        "video_path": _VIDEO,
        "robot_type": ROBOT_TYPE,
        "splits": {"train": f"0:{len(episodes)}"},
    }


def _video_feature(camera: CameraFacts, fps: int) -> dict[str, Any]:
    described = {
        "video.height": camera.height,
        "video.width": camera.width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "is_depth_map": False,
    }
    names = ["height", "width", "channels"]
    return {"dtype": "video", "shape": [camera.height, camera.width, 3], "names": names, "info": described}


def _write_tasks(file: Path, tasks: Sequence[str]) -> None:
    """LeRobot reads it with pandas and wants the sentences as its index, which only pandas' own note in the schema says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [
        {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": None},
        {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
    ]
    note = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(note)}), file)


def _write_episodes(file: Path, cameras: Sequence[CameraFacts], episodes: Sequence[LightEpisode]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, first = [], 0
    for index, episode in enumerate(episodes):
        rows.append(_episode_row(index, first, cameras, episode))
        first += episode.recorded.frames
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    success = pa.array(columns.pop("success"), pa.bool_())  # all None would have no type
    pq.write_table(pa.table(columns).append_column("success", success), file)


def _episode_row(index: int, first: int, cameras: Sequence[CameraFacts], episode: LightEpisode) -> dict[str, Any]:
    recorded = episode.recorded
    place = {"chunk_index": index // _FILES_A_CHUNK, "file_index": index % _FILES_A_CHUNK}
    row: dict[str, Any] = {"episode_index": index, "tasks": [recorded.instruction], "length": recorded.frames}
    row |= {f"data/{part}": value for part, value in place.items()}
    row |= {"dataset_from_index": first, "dataset_to_index": first + recorded.frames}
    for camera in cameras:
        span = place | {"from_timestamp": 0.0, "to_timestamp": recorded.seconds}
        row |= {f"videos/{video_key(camera.name)}/{part}": value for part, value in span.items()}
    for name, stats in episode.stats.items():
        row |= {f"stats/{name}/{what}": value for what, value in _plain(stats).items()}
    return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0, "success": recorded.success}


def _plain(stats: FeatureStats) -> dict[str, Any]:
    return {name: [int(value[0])] if name == "count" else value.tolist() for name, value in stats.items()}


def _vectors(rows: NDArray[np.float32]) -> Any:
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(rows, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
