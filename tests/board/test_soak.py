"""Long runs: half an hour of simulated time through loop and guard, minutes of a real board. Memory stays flat, the limits hold.

`-m soak` runs them at full length; the usual run a hundredth and a twentieth of it.
"""

import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.board.arms import PERIOD, SMALL_ARM
from tests.board.boards import BoardProcess, begin_task, board_process, swinging_package
from tests.waiting import look_on
from vla_demo.board.arm import GuardedArm
from vla_demo.board.guard import Guard
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, SimulatedWorker

HOME = np.array([20.0, 0.0, 50.0], np.float32)
FLAT = 200_000  # bytes that may be more after the second half than after the first
FLAT_RESIDENT = 8_000_000


class SimulatedHardware:
    """Is at once where it is sent, and keeps only that."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.at = clock, HOME
        self.fastest = np.zeros(3, np.float32)  # units a tick

    def observe(self) -> Observation:
        return Observation({}, self.at, "Put it there.", self.clock.now())

    def measure(self) -> tuple[float, np.ndarray]:
        return self.clock.now(), self.at

    def send(self, goal: np.ndarray) -> None:
        self.fastest = np.maximum(self.fastest, np.abs(goal - self.at))
        self.at = goal.copy()

    def rearrange(self, start: str) -> None: ...

    def close(self) -> None: ...


def wandering(request: Request) -> ActionChunk:
    """Jumps between chunks, now and then far out of range."""
    rng = np.random.default_rng(request.stamp)
    actions = HOME + rng.normal(0, 40, 3) * np.linspace(0, 1, 25)[:, None]
    return ActionChunk(actions.astype(np.float32), request.observation.captured_at)


@pytest.mark.parametrize("seconds", [18, pytest.param(1800, marks=pytest.mark.soak)])
def test_half_an_hour_of_simulated_control_leaves_memory_flat(seconds: int) -> None:
    clock = ManualClock()
    hardware = SimulatedHardware(clock)
    arm = GuardedArm(hardware, Guard(SMALL_ARM, PERIOD), clock)
    arm.permit()
    worker = SimulatedWorker(wandering, lambda chunk: 0.1 + 0.01 * (round(chunk.observed_at) % 30), clock)
    ticks = ControlLoop(arm, worker, clock, LoopSettings(25, 1 / PERIOD)).ticks()
    half = round(seconds / PERIOD / 2)
    tracemalloc.start()
    used = []
    for _ in range(2):
        for _ in islice(ticks, half):
            pass
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert used[1] - used[0] < FLAT
    assert clock.now() >= seconds - 1
    assert (hardware.fastest <= SMALL_ARM.max_velocity * PERIOD + 1e-3).all() and hardware.fastest.max() > 1


@pytest.fixture
def own(tmp_path: Path) -> Iterator[BoardProcess]:
    swinging_package(tmp_path / "packages" / "swing")
    with board_process(tmp_path) as process:
        yield process


@pytest.mark.parametrize("seconds", [10, pytest.param(300, marks=pytest.mark.soak)])
def test_minutes_of_a_real_board_leave_its_memory_flat(own: BoardProcess, seconds: int) -> None:
    with own.client() as board:
        board.acquire("Ada")
        begin_task(board, "swing")
        resident = [_resident(board, seconds / 2) for _ in range(2)]
        seen = board.watch()
        assert seen.state == "running" and seen.counts["inferences"] >= seconds / 2
        assert resident[1] - resident[0] < FLAT_RESIDENT


def _resident(board: object, seconds: float) -> int:
    """Bytes, after that long with somebody who watches and looks."""
    given_up = time.monotonic() + seconds
    seen = 0.0
    while time.monotonic() < given_up:
        board.watch()  # type: ignore[attr-defined]
        pictures = board.look(after=seen)  # type: ignore[attr-defined]
        seen = seen if pictures is None else pictures.captured_at
        look_on(0.1)
    return int(board.watch().memory_bytes)  # type: ignore[attr-defined]
