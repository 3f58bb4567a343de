"""The recorder: the control loop never waits for it, what it drops is counted, and what lies in the folder is whole."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import look_on, wait_until
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.observation import Observation
from vla_demo.core.recorded import RecordedEpisode, is_plain_path, read_recorded
from vla_demo.episodes import open_dataset
from vla_demo.episodes.faststart import index_is_first
from vla_demo.episodes.joining import join_recordings
from vla_demo.episodes.light_dataset import CameraFacts
from vla_demo.episodes.recorder import EpisodeRecorder, RecordedRobot, RecorderSettings

CAMERAS = (CameraFacts("top", 48, 64), CameraFacts("left", 48, 64))
JOINTS = tuple(f"joint_{k}.pos" for k in range(6))
ROBOT = RecordedRobot("bench", "twin", JOINTS, CAMERAS, 30.0)
SOON = 2.0  # s; who waited for a blocked recorder would never come back
PICTURES = 2 * 48 * 64 * 3  # bytes of a control period

Make = Callable[..., EpisodeRecorder]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EpisodeRecorder]:
    """For the tests that do not break it."""
    one = EpisodeRecorder(ROBOT, RecorderSettings(tmp_path_factory.mktemp("shared")))
    one.record(True)
    yield one
    one.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[EpisodeRecorder] = []

    def recorder(robot: RecordedRobot = ROBOT, **settings: int) -> EpisodeRecorder:
        made.append(EpisodeRecorder(robot, RecorderSettings(tmp_path / "episodes", **settings)))
        made[-1].record(True)
        return made[-1]

    yield recorder
    for one in made:
        one.close()


def seen(number: int, noise: bool = False) -> Observation:
    """Pictures as bright as their number; or of noise, which no encoder makes small."""
    picture = (
        np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8) if noise else np.full((48, 64, 3), number % 256, np.uint8)
    )
    return Observation({camera.name: picture for camera in CAMERAS}, np.zeros(6, np.float32), "do it", number / 30)


def ticks(recorder: EpisodeRecorder, numbers: range, every: float = 0.0, noise: bool = False) -> float:
    """The longest that one took, s."""
    longest = 0.0
    for number in numbers:
        observation, state = seen(number, noise), np.full(6, number, np.float32)
        began = time.perf_counter()
        recorder.tick(state, state + 1, observation)
        longest = max(longest, time.perf_counter() - began)
        look_on(every)  # the control loop's pace
    return longest


def episode(recorder: EpisodeRecorder, run: Callable[[], object]) -> str:
    """The id of a task in which that happens."""
    recorder.prepare()
    recorder.begin("", {"policy": "act"}, seen(0))
    run()
    recorder.end("the task was ended")
    wait_until(lambda: not recorder.closing)
    return recorder.last


def told(recorder: EpisodeRecorder, name: str) -> RecordedEpisode:
    (found,) = read_recorded(recorder.folder / name)
    return found


def process_of(recorder: EpisodeRecorder) -> int:
    assert recorder._child is not None
    return recorder._child._process.pid


def test_an_episode_that_the_disk_keeps_up_with_is_whole_frame_by_frame(recorder: EpisodeRecorder) -> None:
    name = episode(recorder, lambda: ticks(recorder, range(60), every=0.002))
    found = told(recorder, name)
    assert found.complete and (found.frames, found.instruction, found.ended) == (60, "do it", "the task was ended")
    recorded = open_dataset(recorder.folder / name).episode(0)
    for number in (0, 31, 59):
        frame = recorded.frame(number)
        np.testing.assert_array_equal(frame.observation.joints, np.full(6, number))
        np.testing.assert_array_equal(frame.action, np.full(6, number + 1))
        assert abs(float(frame.observation.images["top"].mean()) - number) < 3
    assert all(index_is_first(video) for video in (recorder.folder / name).rglob("*.mp4"))


def test_while_the_recorder_is_blocked_no_tick_waits_and_the_episode_says_which_pictures_it_dropped(make: Make) -> None:
    recorder = make(waiting_pictures=10 * PICTURES)

    def blocked() -> None:
        ticks(recorder, range(30), every=0.005)
        os.kill(process_of(recorder), signal.SIGSTOP)
        assert ticks(recorder, range(30, 120)) < SOON
        os.kill(process_of(recorder), signal.SIGCONT)
        wait_until(lambda: recorder._child is not None and not recorder._child.queue._waiting, what="the recorder catching up")
        ticks(recorder, range(120, 130), every=0.005)

    name = episode(recorder, blocked)
    found = told(recorder, name)
    assert (found.frames, found.cut_frames) == (130, 0) and 40 < found.old_pictures < 90 and not found.complete
    recorded = open_dataset(recorder.folder / name).episode(0)
    np.testing.assert_array_equal(recorded.states[:, 0], np.arange(130))  # no number is lost
    assert recorded.frame(118).observation.images["top"].mean() < 90 < 115 < recorded.frame(125).observation.images["top"].mean()


def test_when_even_the_numbers_find_no_room_the_rest_is_cut_and_counted(make: Make) -> None:
    recorder = make(waiting_rows=20)

    def blocked() -> None:
        os.kill(process_of(recorder), signal.SIGSTOP)
        ticks(recorder, range(3000))
        os.kill(process_of(recorder), signal.SIGCONT)

    found = told(recorder, episode(recorder, blocked))
    assert found.frames + found.cut_frames == 3000 and 20 <= found.frames < 2900 and not found.complete


def test_a_full_disk_loses_no_earlier_episode_and_says_why_the_new_one_is_not_there(make: Make) -> None:
    first = make()
    kept = episode(first, lambda: ticks(first, range(30)))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))  # for the process that is started now: nothing larger is written
    try:
        second = make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert episode(second, lambda: ticks(second, range(90), noise=True)) and "not kept: File too large" in second.problem
    assert [place.name for place in first.folder.iterdir()] == [kept] and open_dataset(first.folder / kept).episodes[0].frames == 30
    small = episode(second, lambda: ticks(second, range(30)))  # the next one fits
    assert second.problem == "" and told(second, small).complete


def test_a_recorder_that_dies_takes_one_episode_along_and_leaves_nothing_that_looks_like_one(make: Make) -> None:
    recorder = make()

    def killed() -> None:
        ticks(recorder, range(30), every=0.005)
        os.kill(process_of(recorder), signal.SIGKILL)
        wait_until(lambda: recorder._child is not None and recorder._child.dead, what="the recorder's end being noticed")
        assert ticks(recorder, range(30, 60)) < SOON

    recorder.prepare()
    recorder.begin("", {}, seen(0))
    killed()
    recorder.end("the task was ended")
    assert "the episode is lost" in recorder.problem
    assert [place.name for place in recorder.folder.iterdir()] == [f".recording-{recorder.last}"]
    with pytest.raises(VlaDemoError, match="off and on again"):
        recorder.prepare()
    recorder.record(False)
    recorder.record(True)
    name = episode(recorder, lambda: ticks(recorder, range(10)))  # a new one is started, which clears up
    assert [place.name for place in recorder.folder.iterdir()] == [name]


def test_a_second_recorder_in_the_same_folder_leaves_an_episode_under_way_alone(make: Make) -> None:
    recorder = make()

    def joined_by_another() -> None:
        ticks(recorder, range(30), every=0.005)
        make()
        ticks(recorder, range(30, 40))

    assert told(recorder, episode(recorder, joined_by_another)).frames == 40


def test_no_task_begins_when_there_is_no_room_for_its_episode(recorder: EpisodeRecorder) -> None:
    allowed, recorder.limit = recorder.limit, 1 << 20
    with pytest.raises(VlaDemoError, match=r"no room for another episode .* remove some, or switch the recording off"):
        recorder.prepare()
    recorder.limit = allowed
    recorder.prepare()
    recorder.recount()  # what it wrote itself was counted as it came
    assert recorder._counted == sum(f.stat().st_size for f in recorder.folder.rglob("*") if f.is_file())


def test_what_cannot_be_recorded_is_refused_with_the_reason(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match=r"whole frames a second; 29\.97 Hz"):
        make(RecordedRobot("bench", "twin", JOINTS, CAMERAS, 29.97))
    with pytest.raises(InvalidInput, match="even height and width; the camera top"):
        make(RecordedRobot("bench", "twin", JOINTS, (CameraFacts("top", 47, 64),), 30.0))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPiece, match=re.escape(f"cannot record: it lacks av and pyarrow; there, {install('record')}")):
        make()


def test_a_task_that_was_stopped_before_it_began_is_not_taken_for_the_one_before_it(recorder: EpisodeRecorder) -> None:
    assert episode(recorder, lambda: ticks(recorder, range(5))) == recorder.last
    recorder.prepare()
    assert recorder.last == ""


def test_a_recording_is_switched_off_only_between_tasks(make: Make) -> None:
    recorder = make()
    recorder.begin("", {}, seen(0))
    with pytest.raises(VlaDemoError, match="end the task first"):
        recorder.record(False)
    recorder.end("the task was ended")
    recorder.record(False)
    recorder.begin("", {}, seen(0))
    recorder.tick(np.zeros(6, np.float32), np.zeros(6, np.float32), seen(0))
    assert recorder.last == "" and not recorder.on


def test_the_board_s_side_loads_neither_torch_nor_an_encoder() -> None:
    heavy = {"torch", "lerobot", "av", "pyarrow"}
    program = f"import sys, vla_demo.episodes.recorder; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_recordings_of_different_cameras_do_not_become_one_dataset(recorder: EpisodeRecorder, tmp_path: Path) -> None:
    name = episode(recorder, lambda: ticks(recorder, range(5)))
    other = EpisodeRecorder(RecordedRobot("b", "twin", JOINTS, CAMERAS[:1], 30.0), RecorderSettings(tmp_path / "other"))
    other.record(True)
    second = episode(other, lambda: ticks(other, range(5)))
    other.close()
    out = tmp_path / "joined"
    with pytest.raises(InvalidInput, match="other image_shapes"):
        join_recordings([recorder.folder / name, other.folder / second], out)
    assert not out.exists()
    join_recordings([recorder.folder / name, recorder.folder / name], out)
    assert open_dataset(out).episode(1).frame(4).observation.images["left"].shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "", "a/.b", "a\\..\\b", "a b"])
def test_a_path_that_could_leave_its_folder_is_none(name: str) -> None:
    assert not is_plain_path(name) and is_plain_path("videos/observation.images.top/chunk-000/file-000.mp4")
