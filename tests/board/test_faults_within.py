"""What the arm does when its policy or its cameras break, by the twin's own log: each fault at random phases of the motion.

The board's driver and guard in this process, the twin's desk in its own, and a policy that misbehaves on demand. One seed each in the
usual run; `-m soak` takes twenty. What was measured is printed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.board.boards import REST, expect_limits, goal_changed_last, is_moving, print_times, rests_from, some_phase, standstills
from tests.lateness import Witness
from tests.twin_log import read_log
from tests.waiting import look_on, stall, wait_until
from vla_demo.board.arm import GuardedArm
from vla_demo.board.driver import Driver, DriveState, Task
from vla_demo.board.guard import Guard
from vla_demo.board.limits import Patience
from vla_demo.board.so101 import so101_description
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import RealClock
from vla_demo.runtime.control_loop import LoopSettings, Request
from vla_demo.twin.desk_messages import DeskSettings
from vla_demo.twin.live import LiveTwin

SEEDS = pytest.mark.parametrize("seeds", [1, pytest.param(20, marks=pytest.mark.soak)])
HZ, CHUNK, SWING = 30.0, 30, 20.0  # ticks a second, actions a plan (a second), degrees to each side
SOON = 0.5  # s: two control ticks and braking; what a busy machine adds is measured beside it
PICTURES = 1.0  # s that pictures may be old, as `vla-board serve --robot twin` has it


class Desk(LiveTwin):
    """Whose cameras can freeze: one picture with its own time, again and again."""

    frozen: Observation | None = None

    def observe(self) -> Observation:
        return self.frozen or super().observe()


@dataclass
class Rig:
    desk: Desk
    driver: Driver
    log: Path
    fault: Callable[[ActionChunk, Request], ActionChunk] | None = None

    def infer(self, request: Request) -> ActionChunk:
        actions = np.tile(REST, (CHUNK, 1))
        actions[:, 0] = SWING * np.sin((request.stamp + np.arange(CHUNK)) * 2 * np.pi / CHUNK)
        chunk = ActionChunk(actions, request.observation.captured_at)
        return chunk if self.fault is None else self.fault(chunk, request)

    def swings(self, seed: int) -> None:
        """The task runs, from rest to somewhere in a swing."""
        self.fault = self.desk.frozen = None
        self.driver.stop("the test")
        wait_until(lambda: self.driver.arm.standing)
        self.driver.reset()
        self.driver.start(Task(self.infer, LoopSettings(CHUNK, HZ)))
        wait_until(lambda: self.driver.counts.inferences > 0 and bool(np.abs(read_log(self.log)[-1, 8:13] - REST[1:]).max() < 1))
        some_phase(seed)
        assert is_moving(self.did())

    def did(self, since: float = 0.0) -> np.ndarray:
        rows = read_log(self.log)
        return rows[rows[:, 0] > since]

    def ends(self) -> None:
        """And its arm stood since the last fault or Stop."""
        self.driver.stop("the test")
        wait_until(lambda: self.driver.arm.standing and not is_moving(self.did(), 0.2), what="the arm coming to rest")
        look_on(0.3)
        assert not is_moving(self.did(), 0.2)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    log = tmp_path_factory.mktemp("within") / "log"
    desk = Desk(DeskSettings(image_size=(24, 32), camera_fps=30, log=str(log)))
    ranges = (desk.facts["low"], desk.facts["high"])
    limits = so101_description("twin", "twin", "", ranges, [], Patience(observation=PICTURES)).limits
    driver = Driver(GuardedArm(desk, Guard(limits, 1 / HZ), RealClock()), limits, HZ, RealClock(), lambda: None)
    yield Rig(desk, driver, log)
    driver.close()
    desk.close()


def faulted(rig: Rig, why: str) -> None:
    wait_until(lambda: rig.driver.state[0] is DriveState.FAULT)
    assert why in rig.driver.state[1]
    wait_until(lambda: rig.driver.arm.standing, what="the arm coming to rest")
    look_on(0.5)


def test_a_jump_in_the_log_would_be_noticed() -> None:
    rows = np.zeros((100, 13))
    rows[:, 0] = np.arange(100) / 60
    expect_limits(rows)
    rows[50:, 7] = 30
    with pytest.raises(AssertionError):
        expect_limits(rows)


@SEEDS
def test_plans_that_are_nonsense_reach_no_servo_and_latch_a_fault(
    rig: Rig, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    halted = []
    for seed in range(seeds):
        rig.swings(seed)
        broken = time.monotonic()
        rig.fault = lambda chunk, _, seed=seed: replace(chunk, actions=_nonsense(chunk.actions.copy(), seed))
        faulted(rig, "")
        assert rig.driver.counts.rejected_chunks == 3
        halted.append(goal_changed_last(rig.did(), broken))
        assert halted[-1] < 1 + SOON + machine.allowance(broken)  # the plan it had may be played to its end
        goals = rig.did(broken)[:, 7:13]
        assert np.abs(goals[:, 0]).max() < SWING + 1 and np.abs(goals[:, 1:] - REST[1:]).max() < 1  # never zeros, never what was asked
        rig.ends()
    print_times("nonsense instead of plans, the goal stands still", halted, capsys)


def _nonsense(actions: np.ndarray, seed: int) -> np.ndarray:
    """Of six kinds."""
    where = seed * 7 % CHUNK
    kinds: tuple[Callable[[], np.ndarray], ...] = (
        lambda: _with(actions, where, np.nan),
        lambda: _with(actions, where, np.inf),
        lambda: _with(actions, where, 1e6),
        lambda: actions[:, :5],
        lambda: actions[None],
        lambda: actions[:0],
    )
    return kinds[seed % len(kinds)]()


def _with(actions: np.ndarray, where: int, value: float) -> np.ndarray:
    actions[where, where % 6] = value
    return actions


@SEEDS
def test_plans_that_jump_are_followed_within_the_limits(rig: Rig, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    rested = []
    for seed in range(seeds):
        rig.swings(seed)
        began, random = time.monotonic(), np.random.default_rng([6, seed])
        rig.fault = lambda chunk, _, random=random: _aside(chunk, float(random.uniform(-50, 50)))
        wait_until(lambda: rig.driver.counts.limited_ticks > 20, what="jumps that the guard limits")
        assert rig.driver.state == (DriveState.RUNNING, "the task runs")
        stopped = time.monotonic()
        rig.driver.stop("the test")
        rig.ends()
        expect_limits(rig.did(began))
        rested.append(rests_from(rig.did(), stopped))
        assert rested[-1] < SOON + machine.allowance(stopped)
    print_times("Stop while plans jump, the arm stands still", rested, capsys)


def _aside(chunk: ActionChunk, degrees: float) -> ActionChunk:
    """All of it, in the first joint."""
    return replace(chunk, actions=chunk.actions + np.array([degrees, 0, 0, 0, 0, 0], np.float32))


@SEEDS
def test_a_plan_that_comes_too_late_is_waited_for_standing_and_after_a_stop_moves_nothing(
    rig: Rig, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    halted = []
    for seed in range(seeds):
        rig.swings(seed)
        late, began = 1.2 + seed / 25, time.monotonic()  # s: later than a plan is long
        rig.fault = lambda chunk, _, late=late: (stall(late), chunk)[1]
        wait_until(lambda began=began: _waited_for_a_plan(rig, began), what="a wait for a late plan, and the plan")
        rows = rig.did(began)
        assert np.abs(rows[:, 7]).max() < SWING + 1 and np.abs(rows[:, 8:13] - REST[1:]).max() < 1
        expect_limits(rows)
        look_on(float(np.random.default_rng([7, seed]).uniform(0, 1.5)))  # while it moves, or while it waits
        stopped = time.monotonic()
        rig.driver.stop("the test")
        look_on(late + SOON)  # what was asked for before arrives now
        halted.append(goal_changed_last(rig.did(), stopped))
        assert halted[-1] < SOON + machine.allowance(stopped)
        rig.ends()
    print_times("Stop while a late plan is under way, the goal stands still", halted, capsys)


def _waited_for_a_plan(rig: Rig, since: float) -> bool:
    """Whether it stood without one since then, and moves again."""
    return rig.driver.counts.starved_ticks > 4 and max(standstills(rig.did(since))) > 0.15 and is_moving(rig.did(since), 0.2)


@SEEDS
def test_one_inference_of_three_seconds_is_waited_for_standing_and_then_it_goes_on(
    rig: Rig, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    stood = []
    for seed in range(seeds):
        rig.swings(seed)
        began, spikes = time.monotonic(), iter([3.0])
        rig.fault = lambda chunk, _, spikes=spikes: (stall(next(spikes, 0.0)), chunk)[1]
        wait_until(lambda began=began: max(standstills(rig.did(began))) > 1 and is_moving(rig.did(began), 0.5), what="the arm going on")
        moving, late = time.monotonic(), machine.allowance(began)
        look_on(1)
        rows = rig.did(began)
        stood.append(max(standstills(rows)))
        assert rig.driver.state == (DriveState.RUNNING, "the task runs")
        assert stood[-1] < 3 + SOON + late
        assert max(standstills(rows[rows[:, 0] > moving])) < 0.2 + machine.allowance(moving)
        expect_limits(rows)
        rig.ends()
    print_times("one inference of 3 s, the arm waits", stood, capsys)


@SEEDS
def test_cameras_that_freeze_end_the_task(rig: Rig, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    halted = []
    for seed in range(seeds):
        rig.swings(seed)
        rig.desk.frozen, frozen = rig.desk.observe(), time.monotonic()
        faulted(rig, "pictures are")
        halted.append(goal_changed_last(rig.did(), frozen))
        assert halted[-1] < PICTURES + 1 + SOON + machine.allowance(frozen)  # noticed when the next plan is asked for
        rig.ends()
    print_times("cameras frozen, the goal stands still", halted, capsys)
