"""Episodes recorded on a real board while the twin moves: what is in them, who may have them, and what faults leave of them."""

import os
import signal
import time
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.board.boards import BoardProcess, begin_task, board_process, goal_changed_last, swinging_package, wait_until
from vla_demo.board import link_pb2 as link
from vla_demo.board import rpc
from vla_demo.board.client import BoardClient
from vla_demo.board.driver import NotNow
from vla_demo.board.lease import LeaseRefused
from vla_demo.board.packages import NotThere
from vla_demo.core.errors import BoardError
from vla_demo.core.recorded import read_recorded
from vla_demo.episodes import open_dataset
from vla_demo.episodes.joining import join_recordings


def task(client: BoardClient, seconds: float = 1.5, package: str = "swing") -> dict[int, link.Tick]:
    """One that is ended after a while: its ticks, by number."""
    before = max((tick.number for tick in client.watch().ticks), default=0)
    begin_task(client, package)
    ticks: dict[int, link.Tick] = {}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or client.watch().moving:
        ticks |= {tick.number: tick for tick in client.watch(before).ticks}
        if time.monotonic() >= ends and client.watch().state == link.RUNNING:
            client.pause()
        time.sleep(0.1)
    return ticks | {tick.number: tick for tick in client.watch(before).ticks}


def closed(client: BoardClient) -> link.RecordingList:
    """The list, once the newest episode is whole."""
    wait_until(lambda: not client.episodes.list().closing, 20)
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
def recorded(board: BoardProcess, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, link.Tick], Path, Path]:
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
    board: BoardProcess, recorded: tuple[dict[int, link.Tick], Path, Path]
) -> None:
    ticks, fetched, _ = recorded
    episode = open_dataset(fetched).episode(0)
    assert len(episode.states) == len(ticks) > 20 and read_recorded(fetched)[0].complete
    told = [ticks[number] for number in sorted(ticks)]
    np.testing.assert_allclose(episode.states, [tick.measured for tick in told])
    np.testing.assert_allclose(episode.actions, [tick.commanded for tick in told])
    log = board.did()
    for state, tick in zip(episode.states, told, strict=True):  # what the arm did, by its own word
        near = log[np.abs(log[:, 0] - tick.at) < 0.1]
        assert np.abs(near[:, 1:7] - state).max(axis=1).min() < 0.5
    assert np.ptp(episode.states[:, 0]) > 5


def test_lerobot_opens_a_recording_and_several_as_one_dataset(recorded: tuple[dict[int, link.Tick], Path, Path]) -> None:
    from lerobot.datasets import LeRobotDataset

    ticks, fetched, joined = recorded
    alone = LeRobotDataset("local/one", root=fetched, video_backend="pyav", return_uint8=True)
    both = LeRobotDataset("local/both", root=joined, video_backend="pyav", return_uint8=True)
    assert alone.num_frames == len(ticks) and both.num_episodes == 2
    item = both[both.num_frames - 1]
    assert item["episode_index"] == 1 and "tea bag" in item["task"] and item["observation.images.top"].shape == (3, 24, 32)
    assert both.meta.filter_episodes(lambda episode: episode["success"]) == [0]
    assert [episode.success for episode in read_recorded(joined)] == [True, None]
