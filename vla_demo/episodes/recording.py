"""Records episodes as a LeRobot dataset v3 with LeRobot's own writer, in video that browsers play.

It knows neither who moves the arm nor why an episode is worth keeping. The folder appears complete or not at all.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.observation import Observation
from vla_demo.episodes.faststart import move_index_to_front
from vla_demo.episodes.layout import INFO_FILE
from vla_demo.episodes.tags import EpisodeTags, split_ranges, write_tags

if TYPE_CHECKING:
    from lerobot.datasets import LeRobotDataset

__all__ = ["EpisodeWriter", "VideoEncoding"]

ROBOT_TYPE = "so101_follower"
# LeRobot drops a frame when the encoder's queue stays full for 0.1 s: right for a live robot, wrong for a simulation that can wait.
# Longer than any episode, so that nothing is ever dropped; `_check_videos` proves it.
QUEUE_FRAMES = 100_000
# No B-frames: their reordering delay shifts timestamps when files are joined, and slows scrubbing.
X264_OPTIONS = {"bf": 0}


@dataclass(frozen=True, slots=True)
class VideoEncoding:
    """H.264 settings. Small `g` makes random access cheap (training), large `g` makes files small (shipping)."""

    crf: int = 23  # 0 lossless .. 51 worst
    g: int = 30  # frames between key frames
    preset: str = "veryfast"
    file_mb: int = 50  # a video file that would grow past this is followed by a new one


class EpisodeWriter:
    """Writes `folder`: `with EpisodeWriter(...) as writer: writer.add(frames, instruction, split="train", seed=7)`.

    Features: `observation.state` and `action` (J,) in dataset units, `observation.images.<camera>` (H, W, 3). Leaving the block with an
    exception (Ctrl-C included) leaves nothing behind. Raises `InvalidInput` when `folder` exists or a frame does not fit.
    """

    def __init__(
        self,
        folder: Path,
        cameras: Sequence[str],
        image_shape: tuple[int, int],  # (H, W)
        joint_names: Sequence[str],
        fps: int,
        encoding: VideoEncoding | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._cameras = tuple(cameras)
        self._image_shape = tuple(image_shape)
        self._joint_names = tuple(joint_names)
        self._fps = fps
        self._encoding = encoding or VideoEncoding()
        self._partial = self.folder.with_name(f".{self.folder.name}.partial-{os.getpid()}")
        self._tags: list[EpisodeTags] = []
        self._dataset: LeRobotDataset

    def __enter__(self) -> Self:
        if self.folder.exists():
            raise InvalidInput(f"{self.folder} exists already; choose a folder that does not, or remove it first")
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._partial, ignore_errors=True)
        self._dataset = self._create()
        _log_encoders(errors_only=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._dataset.writer.cancel_pending_videos()
        finally:
            _log_encoders(errors_only=False)
            shutil.rmtree(self._partial, ignore_errors=True)

    def add(
        self,
        frames: Iterable[tuple[Observation, NDArray[np.float32]]],
        instruction: str,
        cluster: int | None = None,
        is_recovery: bool = False,
        split: str | None = None,
        seed: int | None = None,
    ) -> int:
        """Record one episode, observations with the action (J,) commanded there in dataset units, and return its index.

        When `frames` raises, the episode is dropped and the writer stays usable.
        """
        index = len(self._tags)
        try:
            count = 0
            for observation, action in frames:
                self._dataset.add_frame(self._row(observation, action, instruction))
                count += 1
            self._save(index, count)
        except BaseException:
            self._dataset.writer.cancel_pending_videos()
            self._dataset.clear_episode_buffer()
            raise
        self._tags.append(EpisodeTags(index, cluster, is_recovery, split, seed))
        return index

    def _create(self) -> "LeRobotDataset":
        try:
            from lerobot.configs.video import RGBEncoderConfig
            from lerobot.datasets import LeRobotDataset
        except ImportError as error:
            raise MissingPiece(f"recording needs LeRobot: {install('export')}") from error
        wanted = self._encoding
        return LeRobotDataset.create(
            repo_id=f"local/{self.folder.name}",
            fps=self._fps,
            features=self._features(),
            root=self._partial,
            robot_type=ROBOT_TYPE,
            rgb_encoder=RGBEncoderConfig(
                vcodec="h264",
                pix_fmt="yuv420p",
                crf=wanted.crf,
                g=wanted.g,
                preset=wanted.preset,
                extra_options=X264_OPTIONS,
            ),
            video_backend="pyav",
            streaming_encoding=True,
            encoder_queue_maxsize=QUEUE_FRAMES,
            encoder_threads=1,
            video_files_size_in_mb=wanted.file_mb,
        )

    def _features(self) -> dict[str, Any]:
        joints = {"dtype": "float32", "shape": (len(self._joint_names),), "names": list(self._joint_names)}
        picture = {"dtype": "video", "shape": (*self._image_shape, 3), "names": ["height", "width", "channels"]}
        return {
            "observation.state": dict(joints),
            "action": dict(joints),
            **{f"observation.images.{camera}": dict(picture) for camera in self._cameras},
        }

    def _row(self, observation: Observation, action: NDArray[np.float32], instruction: str) -> dict[str, Any]:
        self._check(observation, action)
        pictures = {f"observation.images.{camera}": observation.images[camera] for camera in self._cameras}
        state = np.asarray(observation.joints, dtype=np.float32)
        return {
            "observation.state": state,
            "action": np.asarray(action, dtype=np.float32),
            "task": instruction,
            **pictures,
        }

    def _check(self, observation: Observation, action: NDArray[np.float32]) -> None:
        wanted = (len(self._joint_names),)
        if observation.joints.shape != wanted or action.shape != wanted:
            raise InvalidInput(f"joints {observation.joints.shape} and action {action.shape} must both be {wanted}")
        for camera in self._cameras:
            picture = observation.images.get(camera)
            if picture is None:
                raise InvalidInput(f"the observation has no camera {camera!r}; it has {', '.join(observation.images)}")
            if picture.shape != (*self._image_shape, 3) or picture.dtype != np.uint8:
                raise InvalidInput(f"{camera}: {picture.dtype} {picture.shape} is not uint8 {(*self._image_shape, 3)}")

    def _save(self, index: int, frames: int) -> None:
        if frames < 2:
            raise InvalidInput(f"an episode needs at least 2 frames, episode {index} has {frames}")
        self._dataset.save_episode()
        self._check_videos(index, frames)

    def _check_videos(self, index: int, frames: int) -> None:
        latest = self._dataset.meta.latest_episode
        for camera in self._cameras:
            key = f"videos/observation.images.{camera}"
            seconds = latest[f"{key}/to_timestamp"][0] - latest[f"{key}/from_timestamp"][0]
            if round(seconds * self._fps) != frames:
                raise VlaDemoError(f"episode {index}, {camera}: {frames} frames went in, {seconds * self._fps:.1f} came out")

    def _finish(self) -> None:
        if not self._tags:
            raise InvalidInput(f"nothing was recorded, so {self.folder} was not written")
        self._dataset.finalize()
        for video in sorted(self._partial.glob("videos/**/*.mp4")):
            move_index_to_front(video)
            video.chmod(0o644)  # LeRobot joins files through a private temporary one
        write_tags(self._partial, self._tags)
        self._write_splits()
        os.replace(self._partial, self.folder)

    def _write_splits(self) -> None:
        """LeRobot calls everything training; a reader that believes it would calibrate on what a policy is judged by."""
        if all(tag.split is None for tag in self._tags):
            return
        file = self._partial / INFO_FILE
        info = json.loads(file.read_text(encoding="utf-8")) | {"splits": split_ranges(self._tags)}
        file.write_text(json.dumps(info, indent=4) + "\n", encoding="utf-8")


def _log_encoders(*, errors_only: bool) -> None:
    """x264, the MP4 writer and `datasets` report on every file; a recording of hundreds of files has one report of its own."""
    import av.logging
    import datasets

    av.logging.set_libav_level(av.logging.ERROR if errors_only else av.logging.INFO)
    (datasets.disable_progress_bars if errors_only else datasets.enable_progress_bars)()
