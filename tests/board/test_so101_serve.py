"""`vla-board serve --robot so101`: the whole board on six servos of a pseudo-terminal. What they were told is asserted on."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.board.boards import BoardProcess, begin_task, board_process, wait_until
from tests.board.feetech import TORQUE, FeetechArm, calibration_file
from tests.board.web_camera import web_camera
from tests.tiny_packages import CAMERAS
from vla_demo.board import link_pb2 as link
from vla_demo.board.client import BoardClient


@contextmanager
def real_board(folder: Path, swing: Path, servos: FeetechArm) -> Iterator[BoardProcess]:
    folder.mkdir(exist_ok=True)
    shutil.copytree(swing, folder / "packages" / "swing", dirs_exist_ok=True)
    calibration = calibration_file(folder / "calibration").parent
    with ExitStack() as open_ones:
        cameras = [f"{name}={open_ones.enter_context(web_camera()).device}" for name in CAMERAS]
        arm = ("--robot", "so101", "--port", servos.port, "--robot-id", "tea", "--calibration", str(calibration), "--cameras", *cameras)
        yield open_ones.enter_context(board_process(folder, *arm))


def last_change(servos: FeetechArm, after: float) -> float:
    """s from `after` to the last goal that differed from the one before."""
    later = [(at, goal) for at, goal in servos.goals if at > after]
    changed = [at for (_, before), (at, goal) in pairwise(later) if goal != before]
    return changed[-1] - after if changed else 0.0


def moving(board: BoardClient, servos: FeetechArm, seconds: float) -> None:
    begin_task(board, "swing")
    wait_until(lambda: len(servos.goals) > 10 and bool(np.ptp([goal[0] for _, goal in servos.goals[-10:]]) > 20))
    time.sleep(seconds)


def test_the_arm_swings_stops_when_told_and_stands_after_the_board_was_killed(tmp_path: Path, swing: Path) -> None:
    servos = FeetechArm()
    with real_board(tmp_path, swing, servos) as process, process.client() as board:
        assert board.hello.robot.kind == "so101" and len(board.hello.robot.calibration) == 64
        board.acquire("Ada")
        moving(board, servos, 0.5)
        pressed = time.monotonic()
        board.stop("Ada")
        wait_until(lambda: not board.watch().moving)
        time.sleep(0.3)
        assert last_change(servos, pressed) < 0.5
        moving(board, servos, 0.2)
        process.kill()
        time.sleep(0.2)
        told = len(servos.goals)
        time.sleep(0.5)
        assert len(servos.goals) == told and all(servo[TORQUE] for servo in servos.servos.values())
    servos.close()


@pytest.mark.parametrize(
    ("fault", "seed"),
    [("unplugged", 0)] + [pytest.param(fault, seed, marks=pytest.mark.soak) for fault in ("unplugged", "silent") for seed in range(1, 21)],
)
def test_a_bus_lost_in_motion_is_a_fault_that_a_reset_does_not_mend(tmp_path: Path, swing: Path, fault: str, seed: int) -> None:
    phase = np.random.default_rng(seed).uniform(0, 1)  # s: of a swing
    servos = FeetechArm()
    with real_board(tmp_path, swing, servos) as process, process.client() as board:
        board.acquire("Ada")
        moving(board, servos, phase)
        lost = time.monotonic()
        servos.silent = True
        if fault == "unplugged":
            servos.pull_the_plug()
        wait_until(lambda: board.watch().state == link.FAULT, 2)
        assert time.monotonic() - lost < 1.5 and "have not answered" in board.watch().reason
        time.sleep(0.3)
        assert last_change(servos, lost) < 1.0
        with pytest.raises(Exception, match="have not answered"):
            board.reset()
    servos.close()
