"""The states of the arm, with a body that only remembers, at the real clock."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.board.arms import SMALL_ARM
from tests.waiting import look_on, stall, wait_until
from vla_demo.board.arm import GuardedArm, NotNow, Stale
from vla_demo.board.driver import Driver, DriveState, Task
from vla_demo.board.guard import Guard
from vla_demo.board.limits import Patience
from vla_demo.core.errors import VlaDemoError
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import RealClock
from vla_demo.runtime.control_loop import LoopSettings, Request

HZ = 50.0
HOME = np.array([20.0, 0.0, 50.0], np.float32)
LIMITS = replace(SMALL_ARM, patience=Patience(observation=0.3, plan=1.0, starvation=0.5))


@dataclass
class RememberingHardware:
    """Is at once where it is sent; keeps when and where that was. Its cameras and joints can be stuck, its bus can break."""

    sent: list[tuple[float, NDArray[np.float32]]] = field(default_factory=list)
    stuck_at: float | None = None
    broken: bool = False

    def observe(self) -> Observation:
        return Observation({}, self.measure()[1], "Put it there.", self._now())

    def measure(self) -> tuple[float, NDArray[np.float32]]:
        return self._now(), self.sent[-1][1] if self.sent else HOME

    def send(self, goal: NDArray[np.float32]) -> None:
        if self.broken:
            raise VlaDemoError("the bus is broken")
        self.sent.append((time.monotonic(), goal.copy()))

    def rearrange(self, start: str) -> None:
        self.sent.append((time.monotonic(), HOME))

    def close(self) -> None: ...

    def _now(self) -> float:
        return time.monotonic() if self.stuck_at is None else self.stuck_at


@dataclass
class Rig:
    hardware: RememberingHardware
    driver: Driver
    link: list[str | None]

    def state(self) -> DriveState:
        return self.driver.state[0]

    def sent_since(self, moment: float) -> int:
        return sum(at > moment for at, _ in self.hardware.sent)


@pytest.fixture
def rig() -> Iterator[Rig]:
    hardware, link = RememberingHardware(), list[str | None]([None])
    arm = GuardedArm(hardware, Guard(LIMITS, 1 / HZ), RealClock())
    driver = Driver(arm, LIMITS, HZ, RealClock(), lambda: link[0])
    yield Rig(hardware, driver, link)
    driver.close()


def swinging(request: Request) -> ActionChunk:
    steps = request.stamp + np.arange(25)
    turn = 40 * np.sin(steps / HZ * 3)
    actions = np.stack([np.full(25, 20.0), turn, np.full(25, 50.0)], axis=1).astype(np.float32)
    return ActionChunk(actions, request.observation.captured_at)


def task(infer: Callable[[Request], ActionChunk] = swinging, **settings: object) -> Task:
    return Task(infer, LoopSettings(25, HZ, **settings))  # type: ignore[arg-type]


def run(rig: Rig, what: Task | None = None) -> None:
    rig.driver.reset()
    rig.driver.start(what or task())


def faulted(rig: Rig, why: str) -> None:
    wait_until(lambda: rig.state() is DriveState.FAULT)
    assert why in rig.driver.state[1]
    wait_until(lambda: rig.driver.arm.standing)


def test_it_begins_stopped_and_writes_nothing(rig: Rig) -> None:
    look_on(0.2)
    assert rig.driver.state == (DriveState.STOPPED, "the board has just started") and not rig.hardware.sent
    with pytest.raises(NotNow, match="reset it first"):
        rig.driver.start(task())
    rig.driver.reset()
    look_on(0.1)
    assert rig.state() is DriveState.READY and not rig.hardware.sent


@pytest.mark.parametrize("seed", range(20))
def test_stopped_at_any_moment_it_brakes_within_its_limits_and_stands(rig: Rig, seed: int) -> None:
    run(rig)
    look_on(float(np.random.default_rng(seed).uniform(0.05, 0.6)))
    rig.driver.stop("test")
    stopped = time.monotonic()
    wait_until(lambda: rig.driver.arm.standing)
    rows = rig.hardware.sent or [(0.0, HOME)]
    times, goals = np.array([at for at, _ in rows]), np.stack([goal for _, goal in rows])
    pace = np.minimum(np.diff(times), 1 / HZ) + 0.01  # s; on a busy machine, what the guard allowed is written a moment later
    assert (np.abs(np.diff(goals, axis=0)) <= pace[:, None] * LIMITS.max_velocity + 1e-3).all()
    braked = np.abs(goals[-1] - goals[times <= stopped][-1]) if (times <= stopped).any() else np.zeros(3)
    assert (braked <= LIMITS.max_velocity**2 / (2 * LIMITS.max_acceleration) + 2 * LIMITS.max_velocity / HZ).all()
    braking = max(limit.max_velocity / limit.max_acceleration for limit in LIMITS.joints) * HZ  # ticks
    assert rig.sent_since(stopped) <= braking + 3
    look_on(0.1)
    written = len(rig.hardware.sent)
    look_on(0.1)
    assert len(rig.hardware.sent) == written


def test_a_stop_in_the_moment_of_a_start_wins(rig: Rig) -> None:
    for _ in range(20):
        rig.driver.reset()
        starting = threading.Thread(target=lambda: _tried(rig))
        starting.start()
        rig.driver.stop("test")
        starting.join()
        rig.driver.stop("test")
        assert rig.state() is DriveState.STOPPED
        wait_until(lambda: rig.driver.arm.standing)


def _tried(rig: Rig) -> None:
    try:
        rig.driver.start(task())
    except NotNow:
        return


def test_a_link_that_is_lost_stops_a_task_and_a_ready_arm(rig: Rig) -> None:
    run(rig)
    wait_until(lambda: bool(rig.hardware.sent))
    rig.link[0] = "nobody is there"
    wait_until(lambda: rig.driver.state == (DriveState.STOPPED, "nobody is there"))
    wait_until(lambda: rig.driver.arm.standing)
    rig.driver.reset()
    wait_until(lambda: rig.state() is DriveState.STOPPED)


def test_a_camera_that_stops_is_a_fault_and_no_old_picture_is_planned_from(rig: Rig) -> None:
    asked: list[float] = []

    def infer(request: Request) -> ActionChunk:
        asked.append(request.observation.captured_at)
        return swinging(request)

    run(rig, task(infer))
    wait_until(lambda: len(asked) > 1)
    rig.hardware.stuck_at = time.monotonic()
    faulted(rig, "are allowed")
    assert max(asked) <= rig.hardware.stuck_at
    with pytest.raises(Stale):
        rig.driver.reset()
    rig.hardware.stuck_at = None
    rig.driver.reset()


def test_a_policy_that_is_silent_too_long_is_a_fault(rig: Rig) -> None:
    run(rig, task(lambda request: (stall(3), swinging(request))[1]))
    faulted(rig, "silent")
    assert not rig.hardware.sent


def test_a_policy_that_misses_its_deadlines_is_a_fault(rig: Rig) -> None:
    run(rig, task(lambda request: (stall(3), swinging(request))[1], deadline=0.1))
    faulted(rig, "deadline")


def test_a_policy_that_plans_from_what_it_saw_long_ago_is_a_fault(rig: Rig) -> None:
    run(rig, task(lambda request: replace(swinging(request), observed_at=time.monotonic() - 5)))
    faulted(rig, "old")


def test_one_bad_plan_is_skipped_and_three_in_a_row_are_a_fault(rig: Rig) -> None:
    bad = {0}

    def infer(request: Request) -> ActionChunk:
        chunk = swinging(request)
        if request.number in bad:
            chunk.actions[3, 1] = 1e9
        return chunk

    run(rig, task(infer))
    wait_until(lambda: rig.driver.counts.inferences > 2)
    assert rig.driver.counts.rejected_chunks == 1 and rig.state() is DriveState.RUNNING
    bad |= set(range(1000))
    faulted(rig, "far outside")
    assert np.abs(np.stack([goal for _, goal in rig.hardware.sent])[:, 1]).max() < 60


def test_a_policy_that_breaks_and_a_bus_that_breaks_are_faults_and_the_thread_lives_on(rig: Rig) -> None:
    def infer(request: Request) -> ActionChunk:
        raise ZeroDivisionError("in a policy")

    run(rig, task(infer))
    faulted(rig, "ZeroDivisionError")
    run(rig)
    wait_until(lambda: bool(rig.hardware.sent))
    rig.hardware.broken = True
    faulted(rig, "the bus is broken")
    rig.hardware.broken = False
    began = time.monotonic()
    run(rig)
    wait_until(lambda: rig.sent_since(began) > 5)
    assert rig.state() is DriveState.RUNNING


def test_an_arm_that_was_moved_by_hand_goes_on_from_where_it_is(rig: Rig) -> None:
    run(rig)
    wait_until(lambda: len(rig.hardware.sent) > 10)
    rig.driver.stop("test")
    wait_until(lambda: rig.driver.arm.standing)
    moved = np.array([60.0, -50.0, 50.0], np.float32)
    rig.hardware.sent.append((0.0, moved))
    before = time.monotonic()
    run(rig)
    wait_until(lambda: rig.sent_since(before) > 0)
    first = next(goal for at, goal in rig.hardware.sent if at > before)
    assert np.abs(first - moved).max() < 2
