"""The light reader sees exactly what LeRobot's own reader sees, and says plainly what it cannot read."""

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.episodes.conftest import CAMERAS, INSTRUCTION, JOINTS, SHAPE, moving_frames
from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput, UnknownEpisode
from vla_demo.episodes.dataset import open_dataset
from vla_demo.episodes.layout import parse_layout
from vla_demo.episodes.recording import EpisodeWriter, VideoEncoding


@pytest.fixture
def damaged(recorded: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(recorded, tmp_path / "damaged"))


def change_info(folder: Path, **changes: object) -> None:
    file = folder / "meta" / "info.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_dataset_describes_itself_without_opening_an_episode(recorded: Path) -> None:
    dataset = open_dataset(recorded)
    assert (dataset.fps, dataset.joint_names, dataset.cameras) == (30.0, JOINTS, CAMERAS)
    assert dict(dataset.layout.image_shapes) == dict.fromkeys(CAMERAS, SHAPE)
    first, second = dataset.episodes
    assert (first.frames, first.cluster, first.is_recovery, first.split) == (23, 6, False, "validation")
    assert (second.frames, second.cluster, second.is_recovery, second.instruction) == (31, 2, True, INSTRUCTION)


def test_without_a_sidecar_the_splits_are_those_of_the_description(recorded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(recorded, tmp_path / "copy"))
    (folder / "meta" / "teabag.json").unlink()
    assert [e.split for e in open_dataset(folder).episodes] == ["validation", "train"]
    edited = (folder / "meta" / "info.json").read_text().replace('"0:1"', '"the first"')
    (folder / "meta" / "info.json").write_text(edited)
    assert [e.split for e in open_dataset(folder).episodes] == [None, "train"]


def test_what_ships_says_truly_what_was_trained_on() -> None:
    for name, splits in (("episodes", ["validation"] * 10 + ["test"] * 20), ("calibration", ["train"] * 4)):
        folder = require_demo().folder / name
        assert [e.split for e in open_dataset(folder).episodes] == splits
        described = parse_layout((folder / "meta" / "info.json").read_text(), name).splits
        assert [next(s for s, r in described.items() if i in r) for i in range(len(splits))] == splits


def test_numbers_are_those_that_were_recorded(recorded: Path) -> None:
    episode = open_dataset(recorded).episode(1)
    written = list(moving_frames(31, seed=4))
    assert len(episode) == 31 and episode.cluster == 2
    np.testing.assert_array_equal(episode.states, [o.joints for o, _ in written])
    np.testing.assert_array_equal(episode.actions, [a for _, a in written])
    assert episode.frame(9).observation.captured_at == pytest.approx(9 / 30, abs=1e-6)


@pytest.mark.parametrize("order", [range(31), range(30, -1, -1), [0, 30, 7, 8, 9, 8, 8, 29, 1]], ids=["forward", "backward", "jumping"])
def test_pictures_are_bit_for_bit_those_that_lerobot_decodes(recorded: Path, order: list[int]) -> None:
    from lerobot.datasets import LeRobotDataset

    theirs = LeRobotDataset("local/teabag", root=recorded, video_backend="pyav", return_uint8=True)
    episode = open_dataset(recorded).episode(1)
    for i in order:
        images, expected = episode.frame(i).observation.images, theirs[23 + i]
        for camera in CAMERAS:
            np.testing.assert_array_equal(images[camera], expected[f"observation.images.{camera}"].permute(1, 2, 0).numpy())


def test_neighbouring_pictures_differ_so_an_off_by_one_would_show(recorded: Path) -> None:
    episode = open_dataset(recorded).episode(1)
    pictures = [episode.frame(i).observation.images["top"].astype(int) for i in range(31)]
    assert min(np.abs(a - b).mean() for a, b in itertools.pairwise(pictures)) > 1


def test_reading_in_order_never_seeks_again(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vla_demo.episodes.video import VideoCursor

    seeks: list[float] = []
    seek = VideoCursor._seek
    monkeypatch.setattr(VideoCursor, "_seek", lambda self, seconds: (seeks.append(seconds), seek(self, seconds))[1])
    episode = open_dataset(recorded).episode(0)
    for i in range(len(episode)):
        episode.frame(i)
    assert len(seeks) == len(CAMERAS)


def test_the_player_gets_the_file_and_the_stretch_of_it(recorded: Path) -> None:
    span = open_dataset(recorded).video_file(1, "gripper")
    assert span.file.is_file() and span.file.suffix == ".mp4"
    assert (span.start, span.end) == (pytest.approx(23 / 30), pytest.approx(54 / 30))


def test_episodes_in_several_files_are_found(tmp_path: Path) -> None:
    from lerobot.datasets import LeRobotDataset

    noise = np.random.default_rng(0)
    with EpisodeWriter(tmp_path / "many", ("top",), (240, 320), JOINTS, 30, VideoEncoding(crf=1, file_mb=1)) as writer:
        for seed in range(3):
            frames = [(o, a) for o, a in moving_frames(8, seed)]
            for observation, _ in frames:
                observation.images["top"] = noise.integers(0, 255, (240, 320, 3), dtype=np.uint8)
            writer.add(frames, INSTRUCTION)
    dataset = open_dataset(tmp_path / "many")
    files = {dataset.video_file(i, "top").file for i in range(3)}
    assert len(files) > 1, "the fixture is meant to spill into a second file"
    theirs = LeRobotDataset("local/many", root=tmp_path / "many", video_backend="pyav", return_uint8=True)
    for i in range(3):
        picture = dataset.episode(i).frame(5).observation.images["top"]
        np.testing.assert_array_equal(picture, theirs[8 * i + 5]["observation.images.top"].permute(1, 2, 0).numpy())


def test_an_unknown_episode_lists_those_that_exist(recorded: Path) -> None:
    with pytest.raises(UnknownEpisode, match=r"has no episode 7; it has 0-1"):
        open_dataset(recorded).episode(7)
    with pytest.raises(IndexError, match="frames 0 to 22, not 23"):
        open_dataset(recorded).episode(0).frame(23)
    with pytest.raises(InvalidInput, match=r"no camera 'wrist'; it has top, gripper"):
        open_dataset(recorded).video_file(0, "wrist")


def test_without_a_sidecar_nothing_is_guessed(damaged: Path) -> None:
    (damaged / "meta" / "teabag.json").unlink()
    episode = open_dataset(damaged).episode(1)
    assert episode.cluster is None and not episode.is_recovery


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownEpisode, match="there is no dataset"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(UnknownEpisode, match=r"has no meta/info\.json"):
        open_dataset(tmp_path)


def test_an_unreachable_hub_dataset_is_one_plain_error(tmp_path: Path) -> None:
    code = "from vla_demo.episodes.dataset import open_dataset; open_dataset('nobody/nothing')"
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "UnknownEpisode: the Hub dataset nobody/nothing cannot be fetched" in run.stderr


def test_an_older_format_is_named(damaged: Path) -> None:
    change_info(damaged, codebase_version="v2.1")
    with pytest.raises(InvalidInput, match=r"format v2\.1; only v3 is read"):
        open_dataset(damaged)


@pytest.mark.parametrize("template", ["../../etc/{file_index}", "/etc/{file_index}", "{video_key.__class__}/x"])
def test_a_dataset_cannot_point_outside_itself(damaged: Path, template: str) -> None:
    change_info(damaged, video_path=template)
    with pytest.raises(InvalidInput, match="not a path inside the dataset"):
        open_dataset(damaged)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"codebase_version": "v3.0", "features": 3}'])
def test_a_broken_description_is_one_plain_error(damaged: Path, text: str) -> None:
    (damaged / "meta" / "info.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"not a LeRobot v3 description"):
        open_dataset(damaged)


def test_a_missing_or_torn_video_is_one_plain_error(damaged: Path) -> None:
    (video,) = damaged.glob("videos/observation.images.top/**/*.mp4")
    video.write_bytes(video.read_bytes()[:400])
    with pytest.raises(InvalidInput, match="cannot be decoded"):
        open_dataset(damaged).episode(0).frame(0)
    video.unlink()
    with pytest.raises(InvalidInput, match="lacks videos/"):
        open_dataset(damaged).episode(0)


def test_a_truncated_table_is_noticed(damaged: Path) -> None:
    import pyarrow.parquet as pq

    (file,) = damaged.glob("data/**/*.parquet")
    pq.write_table(pq.read_table(file).slice(0, 40), file)
    with pytest.raises(InvalidInput, match="holds 17 frames of episode 1, meta/episodes promises 31"):
        open_dataset(damaged).episode(1)


def test_reading_loads_neither_torch_nor_lerobot(recorded: Path) -> None:
    code = (
        "import sys; from vla_demo.episodes.dataset import open_dataset;"
        f"open_dataset({str(recorded)!r}).episode(0).frame(3);"
        "print(sorted({'torch', 'lerobot', 'datasets', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
