"""`vla-board serve --robot so101`: the whole board on six servos of a pseudo-terminal. What they were told is asserted on."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.board.boards import BoardProcess, begin_task, board_process
from tests.board.feetech import TORQUE, FeetechArm, calibration_file
from tests.board.web_camera import web_camera
from tests.lateness import Witness
from tests.tiny_packages import CAMERAS
from tests.waiting import look_on, wait_until
from vla_demo.board.client import BoardClient
from vla_demo.core.errors import BoardError


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


def swing_for(board: BoardClient, servos: FeetechArm, seconds: float) -> None:
    """From the moment in which it swings."""
    wait_until(lambda: _is_swinging(board, servos), what="the swing")
    look_on(seconds)


def _is_swinging(board: BoardClient, servos: FeetechArm) -> bool:
    """On a busy machine the bus may seem silent for a moment, which is a fault: then it is begun again."""
    if board.watch().state != "running":
        with contextlib.suppress(BoardError):
            begin_task(board, "swing")
    return len(servos.goals) > 10 and bool(np.ptp([goal[0] for _, goal in servos.goals[-10:]]) > 20)


def test_the_arm_swings_stops_when_told_and_stands_after_the_board_was_killed(tmp_path: Path, swing: Path, machine: Witness) -> None:
    servos = FeetechArm()
    with real_board(tmp_path, swing, servos) as process, process.client() as board:
        assert board.hello.robot.kind == "so101" and len(board.hello.robot.calibration) == 64
        board.acquire("Ada")
        swing_for(board, servos, 0.5)
        pressed = time.monotonic()
        board.stop("Ada")
        wait_until(lambda: not board.watch().moving)
        look_on(0.3)
        assert last_change(servos, pressed) < 0.5 + machine.allowance(pressed)
        swing_for(board, servos, 0.2)
        killed = process.kill()
        look_on(0.7)
        written = [at for at, _ in servos.goals if at > killed]
        assert max(written, default=killed) - killed < 0.2 + machine.allowance(killed)  # what lay in the terminal
        assert all(servo[TORQUE] for servo in servos.servos.values())
    servos.close()


@pytest.mark.parametrize(
    ("fault", "seed"),
    [("unplugged", 0)] + [pytest.param(fault, seed, marks=pytest.mark.soak) for fault in ("unplugged", "silent") for seed in range(1, 21)],
)
def test_a_bus_lost_in_motion_is_a_fault_that_a_reset_does_not_mend(
    tmp_path: Path, swing: Path, machine: Witness, fault: str, seed: int
) -> None:
    phase = np.random.default_rng(seed).uniform(0, 1)  # s: of a swing
    servos = FeetechArm()
    with real_board(tmp_path, swing, servos) as process, process.client() as board:
        board.acquire("Ada")
        swing_for(board, servos, phase)
        lost = time.monotonic()
        servos.silent = True
        if fault == "unplugged":
            servos.pull_the_plug()
        wait_until(lambda: board.watch().state == "fault")
        assert time.monotonic() - lost < 1.5 + machine.allowance(lost) and "have not answered" in board.watch().reason
        look_on(0.3)
        assert last_change(servos, lost) < 1.0 + machine.allowance(lost)
        with pytest.raises(Exception, match="have not answered"):
            board.reset()
    servos.close()
