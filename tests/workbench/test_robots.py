"""A robot behind the workbench, over real boards: a link when nobody looks any more, and how the simulated board begins and ends."""

import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.boards import BoardProcess, board_process, is_moving, rests_from, swinging_package, wait_for_rest
from tests.waiting import look_on, wait_until
from vla_demo.core.errors import BoardError, ConnectionClosed, InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.core.recorded import read_recorded
from vla_demo.core.variant import Variant
from vla_demo.episodes import open_dataset
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.episodes import DownloadedDataset, dataset_folder
from vla_demo.workbench.robot.latencies import board_latencies
from vla_demo.workbench.robot.link import RobotLink, connect_robot
from vla_demo.workbench.robot.simulated_board import SimulatedBoard


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    with board_process(tmp_path_factory.mktemp("board") / "b") as running:
        yield running


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return swinging_package(tmp_path_factory.mktemp("package") / "swing")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path / "cache"))


def acting(link: RobotLink, package: PolicyPackage) -> None:
    link.take(takeover=True)
    wait_until(lambda: not link.watch().moving)  # from the task before
    list(link.load(package, Variant.reference(package.spec)))
    link.reset()
    link.start()


def newest(link: RobotLink) -> int:
    """The number of the newest control period."""
    return max((tick.number for tick in link.watch().ticks), default=0)


def test_a_page_that_falls_silent_leaves_an_arm_that_stands(board: BoardProcess, package: PolicyPackage) -> None:
    link = RobotLink(board.client(), "a page", silence=1.5)
    acting(link, package)
    for _ in range(30):
        look_on(0.1)
        assert link.watch().state == "running"
    assert is_moving(board.did())
    silent = time.monotonic()
    wait_until(lambda: bool(link.closed))
    wait_for_rest(board)
    look_on(1)
    assert not is_moving(board.did()) and rests_from(board.did(), silent) < 3
    with pytest.raises(ConnectionClosed, match=r"nothing was heard of the page for 1\.5 s.*connect again"):
        link.watch()


def test_a_task_on_a_real_board_leaves_its_times_stage_by_stage(board: BoardProcess, package: PolicyPackage) -> None:
    link = RobotLink(board.client(), "a page", silence=60.0)
    acting(link, package)
    wait_until(lambda: len(link.watch().inference) >= 2)
    link.stop()
    link.watch()
    (kept,) = board_latencies(package.spec)
    assert kept.board == link.facts.name and kept.inferences >= 2 and set(kept.stage_ms) == {s.role for s in package.spec.stages}
    assert sum(kept.stage_ms.values()) / 1e3 <= kept.seconds * 1.05  # the stages, and what is around them
    link.close()


def test_while_the_arm_is_stopped_a_page_may_be_silent_for_longer(board: BoardProcess) -> None:
    link = RobotLink(board.client(), "a page", silence=0.5)
    link.stop()
    wait_until(lambda: not link.watch().moving)
    look_on(1.5)
    assert link.closed == "" and link.watch().state == "stopped"
    link.close()


def test_a_viewer_who_falls_silent_stops_nothing(board: BoardProcess, package: PolicyPackage) -> None:
    holder, viewer = (RobotLink(board.client(), name, silence=s) for name, s in (("holder", 60.0), ("viewer", 0.5)))
    acting(holder, package)
    wait_until(lambda: bool(viewer.closed))
    assert holder.watch().state == "running"
    holder.close()


def test_a_wrong_token_is_said_in_words(board: BoardProcess) -> None:
    with pytest.raises(BoardError, match="wants its token"):
        connect_robot(board.address, "not-the-token-of-this-board", "me")


def test_the_simulated_board_serves_two_and_ends_with_the_last() -> None:
    simulated = SimulatedBoard()
    first, second = (link_of(simulated, name) for name in ("one", "two"))
    child = simulated._child
    assert child is not None and first.facts.address == second.facts.address
    first.close()
    assert child.poll() is None
    second.close()
    wait_until(lambda: child.poll() is not None)


def test_the_simulated_board_ends_when_the_program_that_started_it_is_killed() -> None:
    simulated = SimulatedBoard()
    link = link_of(simulated, "one")
    child = simulated._child
    assert child is not None and child.stdin is not None and child.poll() is None
    child.stdin.close()  # what the system does for a killed parent
    wait_until(lambda: child.poll() is not None)
    link.close()


def link_of(simulated: SimulatedBoard, name: str) -> RobotLink:
    *_, link = simulated.connect(name)
    assert not isinstance(link, Preparing)
    return link


def test_recorded_tasks_come_here_as_one_dataset_and_as_a_zip(board: BoardProcess, package: PolicyPackage) -> None:
    link = RobotLink(board.client(), "a page", silence=60.0)
    link.take(takeover=True)
    link.episodes.record(True)
    for success in (True, False):
        begun = newest(link)
        acting(link, package)
        wait_until(lambda begun=begun: newest(link) > begun + 10)
        link.pause()
        wait_until(lambda: not link.watch().moving)
        link.episodes.judge_last(success)
    there = link.episodes.view()
    assert [one.success for one in there.episodes] == [True, False] and there.on and there.problem == ""
    old, young = (dataset_folder() / f"{name}.zip" for name in ("old", "young"))
    for archive, days in ((old, 2), (young, 0)):
        archive.write_bytes(b"")
        os.utime(archive, (time.time() - days * 86_400,) * 2)
    *progress, found = link.episodes.download([one.id for one in there.episodes])
    assert young.exists() and not old.exists()
    assert all(isinstance(step, Preparing) for step in progress) and isinstance(found, DownloadedDataset)
    dataset = open_dataset(found.folder)
    assert [one.frames for one in dataset.episodes] == [one.frames for one in there.episodes] and found.folder.parent == dataset_folder()
    assert str(found.folder) in found.opens_with and [one.success for one in read_recorded(found.folder)] == [True, False]
    with zipfile.ZipFile(found.archive) as archive:
        assert archive.testzip() is None and f"{found.folder.name}/meta/info.json" in archive.namelist()
    with pytest.raises(InvalidInput, match="choose again"):
        list(link.episodes.download(["0" * 16]))
    link.episodes.remove([there.episodes[0].id])
    assert link.episodes.view().episodes == there.episodes[1:]
    link.episodes.record(False)
    link.close()
