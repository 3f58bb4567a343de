"""Episodes recorded on a real board while the twin moves: what is in them, who may have them, and what faults leave of them."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.board.boards import BoardProcess, begin_task, board_process, print_times, some_phase, standstills
from tests.lateness import Witness
from tests.waiting import look_on, stall, wait_until
from vla_demo.board import link_pb2 as link
from vla_demo.board import rpc
from vla_demo.board.arm import NotNow
from vla_demo.board.client import BoardClient
from vla_demo.board.episode_calls import EpisodeCalls
from vla_demo.board.lease import LeaseRefused
from vla_demo.board.packages import NotThere
from vla_demo.board.view import EpisodesView, RobotTick, RobotView
from vla_demo.core.errors import BoardError
from vla_demo.core.recorded import read_recorded
from vla_demo.episodes import open_dataset
from vla_demo.episodes.joining import join_recordings


def task(client: BoardClient, seconds: float = 1.5, package: str = "swing") -> dict[int, RobotTick]:
    """One that is ended after a while: its ticks, by number."""
    before = max((tick.number for tick in client.watch().ticks), default=0)
    begin_task(client, package)
    ticks: dict[int, RobotTick] = {}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or client.watch().moving:
        ticks |= {tick.number: tick for tick in client.watch(before).ticks}
        if time.monotonic() >= ends and client.watch().state == "running":
            client.pause()
        look_on(0.1)
    return ticks | {tick.number: tick for tick in client.watch(before).ticks}


def closed(client: BoardClient) -> EpisodesView:
    """The list, once the newest episode is whole."""
    wait_until(lambda: not client.episodes.list().closing)
    return client.episodes.list()


def recorder_of(board: BoardProcess) -> int:
    """The process that writes."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"recorder_process" in line and parent == board.program.pid:
            return int(process.name)
    raise AssertionError("no recorder runs")


@pytest.fixture(scope="module")
def recorded(board: BoardProcess, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, RobotTick], Path, Path]:
    """A task's ticks as they were told while it ran, its episode as it was fetched, and a dataset of it and another one."""
    folder = tmp_path_factory.mktemp("fetched")
    with board.client() as client:
        client.acquire("Ada", takeover=True)
        client.episodes.record(True)
        ticks = task(client)
        first = closed(client).last
        client.episodes.judge(first, True)
        task(client, 0.5)
        second = closed(client).last
        for name in (first, second):
            *_, (have, total) = client.episodes.fetch(name, folder / name)
            assert have == total > 0
        client.episodes.record(False)
        client.release()
    join_recordings([folder / first, folder / second], folder / "joined")
    return ticks, folder / first, folder / "joined"


def test_there_is_one_frame_a_control_period_with_what_was_measured_and_what_was_commanded(
    board: BoardProcess, recorded: tuple[dict[int, RobotTick], Path, Path]
) -> None:
    ticks, fetched, _ = recorded
    episode = open_dataset(fetched).episode(0)
    assert len(episode.states) == len(ticks) > 20 and read_recorded(fetched)[0].complete
    told = [ticks[number] for number in sorted(ticks)]
    np.testing.assert_allclose(episode.states, [tick.measured for tick in told])
    np.testing.assert_allclose(episode.actions, [tick.commanded for tick in told])
    log = board.did()
    apart, ever = (
        np.array([_degrees_apart(log, state, tick.at, within) for state, tick in zip(episode.states, told, strict=True)])
        for within in (0.1, 1.0)
    )
    assert (ever < 0.5).all() and np.mean(apart < 0.5) > 0.9  # on a busy machine the desk may say where the arm is a moment later
    assert np.ptp(episode.states[:, 0]) > 5


def _degrees_apart(log: np.ndarray, state: np.ndarray, at: float, within: float) -> float:
    """Of a recorded state from where the arm was within so many seconds, by its own word."""
    near = log[np.abs(log[:, 0] - at) < within]
    return float(np.abs(near[:, 1:7] - state).max(axis=1).min(initial=np.inf))


def test_lerobot_opens_a_recording_and_several_as_one_dataset(recorded: tuple[dict[int, RobotTick], Path, Path]) -> None:
    from lerobot.datasets import LeRobotDataset

    ticks, fetched, joined = recorded
    alone = LeRobotDataset("local/one", root=fetched, video_backend="pyav", return_uint8=True)
    both = LeRobotDataset("local/both", root=joined, video_backend="pyav", return_uint8=True)
    assert alone.num_frames == len(ticks) and both.num_episodes == 2
    item = both[both.num_frames - 1]
    assert item["episode_index"] == 1 and "tea bag" in item["task"] and item["observation.images.top"].shape == (3, 24, 32)
    assert both.meta.filter_episodes(lambda episode: episode["success"]) == [0]
    assert [episode.success for episode in read_recorded(joined)] == [True, None]


def test_the_command_that_the_page_names_opens_it(recorded: tuple[dict[int, RobotTick], Path, Path]) -> None:
    from vla_demo.__main__ import open_page
    from vla_demo.cli import parser
    from vla_demo.workbench.datasets import dataset_for

    chosen = parser(open_page).parse_args(["replay", "act", "--dataset", str(recorded[2]), "--episode", "1"])
    assert dataset_for(chosen.dataset).episode(chosen.episode).frame(0).observation.images.keys() == {"top", "gripper", "left"}


def test_a_fetch_goes_on_where_it_broke_off_and_what_is_damaged_comes_again(client: BoardClient, recorded: object, tmp_path: Path) -> None:
    name = client.episodes.list().episodes[0].id
    target = tmp_path / name
    list(client.episodes.fetch(name, target))
    (data,) = target.glob("data/**/*.parquet")
    whole = data.read_bytes()
    data.write_bytes(whole[:-100])
    list(client.episodes.fetch(name, target))
    assert data.read_bytes() == whole
    data.write_bytes(bytes(len(whole)))
    with pytest.raises(BoardError, match="did not arrive as the board has it"):
        list(client.episodes.fetch(name, target))
    list(client.episodes.fetch(name, target))
    assert data.read_bytes() == whole


@pytest.mark.parametrize("name", ["", ".", "..", "../packages", "/etc", "f" * 16, "A" * 16, ".recording-" + "0" * 16, "0" * 15 + "/"])
def test_only_names_that_the_board_made_are_episodes(board: BoardProcess, client: BoardClient, name: str) -> None:
    before = sorted(board.packages.parent.rglob("*"))
    for ask in (
        lambda: list(client.episodes.fetch(name, Path("nowhere"))),
        lambda: client.episodes.judge(name, True),
        lambda: client.episodes.remove(name),
    ):
        with pytest.raises(NotThere, match="this board has no episode"):
            ask()
    assert sorted(board.packages.parent.rglob("*")) == before and not Path("nowhere").exists()


def test_parts_that_are_not_there_and_commands_that_come_twice_are_refused(client: BoardClient, recorded: object) -> None:
    name = client.episodes.list().episodes[-1].id
    for file, offset in ((999, 0), (0, 10**12)):
        with pytest.raises(NotThere, match="there is nothing"):
            client._calls["Fetch"](link.FetchRequest(stamp=client._stamp("upload", 4.0), id=name, file=file, offset=offset), 4.0)
    stamp = client._stamp("upload", 4.0)
    request = link.FetchRequest(stamp=stamp, id=name)
    assert 0 < len(client._calls["Fetch"](request, 4.0).data) <= rpc.PART_BYTES
    with pytest.raises(LeaseRefused, match="twice or out of order"):
        client._calls["Fetch"](request, 4.0)
    late = link.RecordingRequest(stamp=client._stamp("command", -0.1), id=name)
    with pytest.raises(LeaseRefused, match="too late"):
        client._calls["Forget"](late, 4.0)
    assert name in {one.id for one in client.episodes.list().episodes}
    removed = link.RecordingRequest(stamp=client._stamp("command", 0.5), id=name)
    client._calls["Forget"](removed, 4.0)
    with pytest.raises(LeaseRefused, match="twice or out of order"):
        client._calls["Forget"](removed, 4.0)
    assert name not in {one.id for one in client.episodes.list().episodes}


def test_who_has_no_lease_lists_and_no_more_and_without_the_token_not_even_that(board: BoardProcess, client: BoardClient) -> None:
    with board.client() as viewer:
        assert viewer.episodes.list().folder == str(board.packages.parent / "episodes")
        with pytest.raises(BoardError, match="acquire it first"):
            viewer.episodes.record(True)
    with grpc.insecure_channel(board.address) as channel, pytest.raises(BoardError, match="wants its token"):
        rpc.callers("Episodes", channel, None)["Recordings"](link.Nothing(), 2.0)


def test_a_task_is_not_recorded_from_its_middle(client: BoardClient) -> None:
    begin_task(client, "swing")
    with pytest.raises(NotNow, match="stop it first"):
        client.episodes.record(True)
    client.stop()
    wait_until(lambda: not client.watch().moving)
    assert not client.episodes.list().on and client.episodes.list().last == ""


def test_a_board_that_names_a_file_outside_writes_nothing_here(tmp_path: Path) -> None:
    names = ("../evil", "/tmp/evil", "meta/../../evil")
    for name in names:
        offered = link.FileList(files=[link.PackageFile(name=name, size=4, sha256="0" * 64)])
        calls = EpisodeCalls({}, lambda *_, offered=offered: offered)
        with pytest.raises(BoardError, match="an episode that is none"):
            list(calls.fetch("0" * 16, tmp_path / "in"))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def large_pictures(tmp_path: Path, swing: Path) -> Iterator[BoardProcess]:
    """A board of its own, whose pictures fill what waits for the recorder within seconds."""
    shutil.copytree(swing, tmp_path / "packages" / "swing")
    with board_process(tmp_path, "--twin-size", "240x320") as process:
        yield process


@pytest.mark.parametrize("seeds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_blocked_recorder_disturbs_no_tick(
    large_pictures: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    """F18. What the arm did is the twin's own word."""
    board, longest = large_pictures, []
    with board.client() as client:
        client.acquire("Ada")
        client.episodes.record(True)
        for seed in range(seeds):
            before = max((tick.number for tick in client.watch().ticks), default=0)
            begin_task(client, "swing")
            wait_until(lambda: client.watch().counts["inferences"] > 0)
            some_phase(seed)
            first = client.watch().ticks[-1].number
            stalled, seen = _stalled(client, recorder_of(board))
            rows = board.did()
            assert seen.state == "running" and seen.ticks[-1].number - first > 0.7 * 3 * 30
            longest.append(max(standstills(rows[(rows[:, 0] > stalled) & (rows[:, 0] < stalled + 3)])))
            assert longest[-1] < 0.4 + machine.allowance(stalled)
            client.pause()
            wait_until(lambda: not client.watch().moving)
            episode = closed(client).episodes[-1]
            assert episode.frames == client.watch().ticks[-1].number - before
            assert episode.old_pictures > 5 and episode.cut_frames == 0
        task(client, 1.0)
        assert closed(client).episodes[-1].old_pictures == 0  # without the stall nothing is dropped
    print_times("recorder blocked for 3 s, the longest time without a new goal", longest, capsys)


def _stalled(client: BoardClient, recorder: int) -> tuple[float, RobotView]:
    """Since when the disk took nothing for 3 s, and what the board said at their end."""
    os.kill(recorder, signal.SIGSTOP)
    stalled = time.monotonic()
    stall(3)
    seen = client.watch()
    os.kill(recorder, signal.SIGCONT)
    return stalled, seen


def test_a_killed_board_leaves_whole_episodes(large_pictures: BoardProcess) -> None:
    """The pulled plug."""
    board = large_pictures
    with board.client() as client:
        client.acquire("Ada")
        client.episodes.record(True)
        recorder = recorder_of(board)
        task(client, 1.0)
        begin_task(client, "swing")
        wait_until(lambda: client.watch().counts["inferences"] > 2)
        board.kill()
    wait_until(lambda: not Path(f"/proc/{recorder}").exists())
    episodes = sorted((board.packages.parent / "episodes").iterdir(), key=lambda place: read_recorded(place)[0].recorded_at)
    assert len(episodes) == 2 and read_recorded(episodes[-1])[0].ended == "the board's program ended"
    for place in episodes:
        last = open_dataset(place).episode(0).frame(read_recorded(place)[0].frames - 1)
        assert last.observation.images["top"].shape == (240, 320, 3)
