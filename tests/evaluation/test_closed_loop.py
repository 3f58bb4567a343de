"""A rollout over a body that is done when its joint is where it should be."""

from itertools import islice

import numpy as np
import pytest

from tests.runtime.loops import RememberingBody, counting
from vla_demo.core.observation import ActionChunk
from vla_demo.evaluation.closed_loop import Judgement, Rollout, loop_report, rollout, summarize_rollout
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, SimulatedWorker

UNSCALED = ActionScale.of([0.0], [1.0], "episode")


def roll(latency: float, mode: str = "async", goal: float = 30, most: int = 100) -> Rollout:
    clock = ManualClock()
    body = RememberingBody(clock)
    worker = SimulatedWorker(counting(10), lambda _: latency, clock)  # type: ignore[arg-type]
    loop = ControlLoop(body, worker, clock, LoopSettings(10, fps=10, mode=mode))
    judge = lambda: Judgement(held=False, in_goal=False, success=body.joint >= goal)  # noqa: E731
    return summarize_rollout(list(rollout(loop, judge, most)), 10, UNSCALED)


def test_it_ends_with_success_at_the_tick_that_brought_it() -> None:
    done = roll(0.0)
    assert done.attempts.success and done.attempts.ticks == done.loop.ticks == 31 and done.loop.starved_ticks == 0


def test_time_runs_out() -> None:
    done = roll(0.0, goal=1e9, most=40)
    assert not done.attempts.success and done.loop.ticks == 40


def test_sync_idles_a_third_at_half_a_second_and_async_only_at_the_beginning() -> None:
    sync, quick = roll(0.5, "sync", goal=1e9, most=150), roll(0.5, goal=1e9, most=150)
    assert sync.loop.idle_share == pytest.approx(1 / 3) and quick.loop.starved_ticks == 5
    assert sync.loop.stale_share == 0 and quick.loop.stale_share == pytest.approx(0.45, abs=0.06)


def test_a_plan_that_continues_the_last_has_no_jump_and_one_that_does_not_has() -> None:
    smooth = roll(0.0, "sync", goal=1e9, most=60).loop
    assert smooth.boundary_jump == pytest.approx(1.0) and smooth.jerk == pytest.approx(0.0)
    clock = ManualClock()
    from_zero = ActionChunk(np.arange(10, dtype=np.float32)[:, None], 0.0)
    worker = SimulatedWorker(lambda _: from_zero, lambda _: 0.0, clock)
    loop = ControlLoop(RememberingBody(clock), worker, clock, LoopSettings(10, fps=10, mode="sync"))
    jumpy = loop_report(list(islice(loop.ticks(), 40)), 10, UNSCALED)
    assert jumpy.boundary_jump == pytest.approx(9.0) and jumpy.jerk is not None and jumpy.jerk > 100
