"""One episode being written while it happens: pictures into video files, numbers kept, and at the end a dataset of that one episode.

It knows no board; it may wait for the disk, so nobody who must be on time calls it.
"""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.recorded import RecordedEpisode
from vla_demo.episodes.feature_stats import column_stats, pixel_stats
from vla_demo.episodes.layout import ACTION, STATE
from vla_demo.episodes.light_dataset import CameraFacts, LightEpisode, video_file, video_key, write_metadata, write_numbers
from vla_demo.episodes.recording import VideoEncoding

__all__ = ["KEPT_FREE", "LiveEpisode", "began_from"]

KEPT_FREE = 256 << 20  # bytes of the disk that no episode takes
SAMPLED = 32  # pictures of each camera that the statistics are of, at most
_SAMPLE_WIDTH = 80  # pixels


@dataclass(frozen=True, slots=True)
class Began:
    """What is known when an episode begins."""

    recorded: RecordedEpisode  # without frames
    joint_names: tuple[str, ...]
    cameras: tuple[CameraFacts, ...]
    room: int  # bytes that it may take


class LiveEpisode:
    """In `<folder>/.recording-<id>` until `finish` renames it to `<folder>/<id>`. Raises what the disk raises: `OSError`, PyAV's errors."""

    def __init__(self, folder: Path, began: Began) -> None:
        self.began = began
        self._whole, self.partial = folder / began.recorded.id, folder / f".recording-{began.recorded.id}"
        self.partial.mkdir(parents=True)
        fps = round(began.recorded.fps)
        self._videos = [_Video(self.partial / video_file(camera.name, 0), fps, camera) for camera in began.cameras]
        self._states: list[NDArray[np.float32]] = []
        self._actions: list[NDArray[np.float32]] = []
        self._old = self._cut = 0
        self._why_cut = ""

    def add(self, state: NDArray[np.float32], action: NDArray[np.float32], pictures: Sequence[NDArray[np.uint8]] | None, old: bool) -> None:
        """One control period: joints (J,), the goal (J,) and for each camera an (H, W, 3) RGB picture. From a full disk on it only counts.

        `pictures` None: as before, and `old` when there were newer ones.
        """
        if not self._why_cut and len(self._states) % round(self.began.recorded.fps) == 0:
            self._why_cut = self._no_room()
        if self._why_cut:
            self._cut += 1
            return
        for camera, video in enumerate(self._videos):
            video.add(None if pictures is None else pictures[camera])
        self._states.append(state)
        self._actions.append(action)
        self._old += old

    def finish(self, ended: str, cut: int) -> RecordedEpisode | None:
        """The whole episode appears. `cut`: control periods that never got here. None, and nothing appears, when there is no frame."""
        if not self._states:
            self.discard()
            return None
        stats = {STATE: column_stats(np.stack(self._states)), ACTION: column_stats(np.stack(self._actions))}
        for video in self._videos:
            video.close()
            stats[video_key(video.camera.name)] = pixel_stats(video.samples)
        why = f"{ended}; {self._why_cut}" if self._why_cut else ended
        recorded = replace(self.began.recorded, frames=len(self._states), ended=why, old_pictures=self._old, cut_frames=self._cut + cut)
        rows = (np.stack(self._states), np.stack(self._actions), recorded.fps)
        write_numbers(self.partial, 0, 0, 0, rows)
        write_metadata(self.partial, self.began.joint_names, self.began.cameras, [LightEpisode(recorded, stats)])
        _to_disk(self.partial)
        self.partial.rename(self._whole)
        return recorded

    def discard(self) -> None:
        for video in self._videos:
            video.abandon()
        shutil.rmtree(self.partial, ignore_errors=True)

    def _no_room(self) -> str:
        written = sum(file.stat().st_size for file in self.partial.rglob("*.mp4"))
        if written > self.began.room:
            return "then there was no room for more on the board"
        if shutil.disk_usage(self.partial).free < KEPT_FREE:
            return "then the board's disk was full"
        return ""


class _Video:
    """H.264 in MP4, one frame a control period; a picture that stands is encoded again, which costs next to nothing."""

    def __init__(self, file: Path, fps: int, camera: CameraFacts) -> None:
        import av

        file.parent.mkdir(parents=True)
        self.camera, self._count, self._frame = camera, 0, None
        self.samples: list[NDArray[np.uint8]] = []
        self._every = fps
        encoding = VideoEncoding()
        options = {"preset": encoding.preset, "crf": str(encoding.crf), "g": str(encoding.g), "bf": "0"}
        self._out: Any = av.open(str(file), "w", options={"movflags": "faststart"})
        self._stream: Any = self._out.add_stream("libx264", rate=fps, options=options)
        self._stream.height, self._stream.width, self._stream.pix_fmt = camera.height, camera.width, "yuv420p"
        self._stream.codec_context.thread_count = 1  # the other cores are the policy's
        self._base = Fraction(1, fps)

    def add(self, picture: NDArray[np.uint8] | None) -> None:
        import av

        if picture is not None:
            self._frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            self._sample(picture)
        frame: Any = self._frame
        frame.pts, frame.time_base = self._count, self._base
        self._out.mux(self._stream.encode(frame))
        self._count += 1

    def _sample(self, picture: NDArray[np.uint8]) -> None:
        """One a second at first; when there are too many, every other one goes and they come half as often."""
        if self._count // self._every < len(self.samples):
            return
        if len(self.samples) == SAMPLED:
            self.samples, self._every = self.samples[::2], 2 * self._every
        step = -(-picture.shape[1] // _SAMPLE_WIDTH)
        self.samples.append(picture[::step, ::step].copy())

    def close(self) -> None:
        self._out.mux(self._stream.encode())
        self._out.close()

    def abandon(self) -> None:
        import av

        with contextlib.suppress(OSError, ValueError, av.FFmpegError):  # nobody will read it
            self._out.close()


def _to_disk(folder: Path) -> None:
    """Whoever pulls the plug after this finds it whole. Not `os.sync`, which waits for what all other programs have written."""
    for place in [folder, *folder.rglob("*")]:
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def began_from(facts: Mapping[str, Any]) -> Began:
    """From what came as JSON. Raises `KeyError`, `TypeError`."""
    cameras = tuple(CameraFacts(*camera) for camera in facts["cameras"])
    recorded = RecordedEpisode(**facts["recorded"])
    return Began(recorded, tuple(facts["joint_names"]), cameras, int(facts["room"]))
