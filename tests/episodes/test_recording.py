"""The writer's promise: what went in comes out of LeRobot's own reader, browsers can play it, and it is all or nothing."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from tests.episodes.conftest import CAMERAS, INSTRUCTION, JOINTS, SHAPE, moving_frames
from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.episodes.faststart import index_is_first
from vla_demo.episodes.recording import EpisodeWriter
from vla_demo.episodes.tags import EpisodeTags, split_ranges


def writer_for(folder: Path) -> EpisodeWriter:
    return EpisodeWriter(folder, CAMERAS, SHAPE, JOINTS, 30)


def test_lerobot_reads_back_what_was_written(recorded: Path) -> None:
    from lerobot.datasets import LeRobotDataset

    dataset = LeRobotDataset("local/teabag", root=recorded, video_backend="pyav", return_uint8=True)
    assert (dataset.num_episodes, dataset.num_frames, dataset.fps) == (2, 54, 30)
    item, (observation, action) = dataset[23 + 5], list(moving_frames(31, seed=4))[5]
    assert item["episode_index"] == 1 and item["task"] == INSTRUCTION
    np.testing.assert_array_equal(item["observation.state"], observation.joints)
    np.testing.assert_array_equal(item["action"], action)
    for camera in CAMERAS:
        picture = item[f"observation.images.{camera}"].permute(1, 2, 0).numpy()
        assert np.abs(picture.astype(int) - observation.images[camera]).mean() < 4


def test_the_robot_and_the_joints_are_named_as_lerobot_names_them(recorded: Path) -> None:
    info = json.loads((recorded / "meta" / "info.json").read_text())
    assert info["robot_type"] == "so101_follower"
    assert info["features"]["action"]["names"] == list(JOINTS)


def test_the_sidecar_tells_cluster_recovery_split_and_seed(recorded: Path) -> None:
    entries = json.loads((recorded / "meta" / "teabag.json").read_text())["episodes"]
    assert entries[0] == {"episode_index": 0, "cluster": 6, "is_recovery": False, "split": "validation", "seed": 3}
    assert entries[1] == {"episode_index": 1, "cluster": 2, "is_recovery": True, "split": "train", "seed": 4}


def test_lerobots_own_description_names_the_true_splits(recorded: Path) -> None:
    """LeRobot would call all of it training."""
    assert json.loads((recorded / "meta" / "info.json").read_text())["splits"] == {"validation": "0:1", "train": "1:2"}


def test_a_split_in_pieces_has_no_place_in_lerobots_notation() -> None:
    tags = [EpisodeTags(i, split=split) for i, split in enumerate(["train", "test", "test", "train", None])]
    assert split_ranges(tags) == {"test": "1:3"}


def test_browsers_can_play_the_videos(recorded: Path) -> None:
    for camera in CAMERAS:
        (video,) = recorded.glob(f"videos/observation.images.{camera}/**/*.mp4")
        assert index_is_first(video)
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert sum(1 for _ in container.decode(stream)) == 54


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="exists already"), writer_for(tmp_path):
        pass


def test_an_interrupted_recording_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), writer_for(tmp_path / "out") as writer:
        writer.add(moving_frames(5, seed=0), INSTRUCTION)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_failing_episode_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    def failing():
        yield from moving_frames(4, seed=1)
        raise VlaDemoError("the expert lost the bag")

    with writer_for(tmp_path / "out") as writer:
        with pytest.raises(VlaDemoError, match="lost the bag"):
            writer.add(failing(), INSTRUCTION)
        assert writer.add(moving_frames(6, seed=2), INSTRUCTION) == 0
    info = json.loads((tmp_path / "out" / "meta" / "info.json").read_text())
    assert (info["total_episodes"], info["total_frames"]) == (1, 6)


def test_a_frame_that_does_not_fit_is_refused_with_the_difference(tmp_path: Path) -> None:
    observation, action = next(moving_frames(1, seed=0))
    with pytest.raises(InvalidInput, match="nothing was recorded"), writer_for(tmp_path / "out") as writer:
        with pytest.raises(InvalidInput, match=r"\(2,\) must both be \(3,\)"):
            writer.add([(observation, action[:2])], INSTRUCTION)
        with pytest.raises(InvalidInput, match="at least 2 frames"):
            writer.add([(observation, action)], INSTRUCTION)


def test_a_dropped_frame_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: LeRobot's encoder queue may drop frames; the writer must then refuse the episode."""
    from lerobot.datasets.video_utils import StreamingVideoEncoder

    feed, fed = StreamingVideoEncoder.feed_frame, iter(range(1000))
    monkeypatch.setattr(StreamingVideoEncoder, "feed_frame", lambda *a: None if next(fed) == 7 else feed(*a))
    with pytest.raises(VlaDemoError, match=r"10 frames went in, 9\.0 came out"), writer_for(tmp_path / "out") as writer:
        writer.add(moving_frames(10, seed=0), INSTRUCTION)
