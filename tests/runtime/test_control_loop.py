"""The loop under a manual clock: who waits for whom, what goes stale, and that nothing waits for inference."""

import math
from itertools import chain, islice, repeat

import numpy as np
import pytest

from tests.runtime.loops import RememberingBody, counting, run
from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.observation import ActionChunk
from vla_demo.runtime.clocks import ManualClock, RealClock
from vla_demo.runtime.control_loop import Answer, ControlLoop, LoopSettings, Request, SimulatedWorker

TEN = LoopSettings(10, fps=10)
SYNC = LoopSettings(10, fps=10, mode="sync")


def test_without_latency_every_tick_has_its_own_step() -> None:
    body, _ = run(TEN, 0.0, 50)
    assert body.told == list(range(50))


def test_sync_stands_still_for_each_inference_and_skips_no_action() -> None:
    body, ticks = run(SYNC, 0.5, 45)
    assert body.told == [*[None] * 5, *range(10), *[None] * 5, *range(10, 20), *[None] * 5, *range(20, 30)]
    assert [tick.asked.number for tick in ticks if tick.asked] == [0, 1, 2]


def test_async_stands_still_only_before_its_first_chunk_when_the_verdict_says_so() -> None:
    body, _ = run(TEN, 0.5, 100)
    assert body.told == [*[None] * 5, *range(95)]


def test_async_starves_where_inference_is_too_slow_and_still_skips_no_step() -> None:
    body, ticks = run(TEN, 0.8, 200)
    assert [told for told in body.told if told is not None] == list(range(sum(told is not None for told in body.told)))
    assert sum(tick.action is None for tick in ticks[20:]) > 0


def test_what_was_executed_while_inference_ran_is_stale() -> None:
    _, ticks = run(TEN, 0.3, 60)
    later = [tick.arrived.merged for tick in ticks if tick.arrived][1:]
    assert later and all((m.stale, m.overlapping, m.fresh) == (3, 2, 5) for m in later)


def test_the_age_of_the_observation_behind_each_action_is_reported() -> None:
    _, ticks = run(SYNC, 0.5, 15)
    assert [tick.observation_age for tick in ticks[5:]] == pytest.approx([0.5 + 0.1 * i for i in range(10)])


def test_the_same_run_twice_is_the_same_bit_for_bit() -> None:
    once, again = (run(TEN, 0.37, 300)[0].told for _ in range(2))
    assert once == again


def test_a_late_tick_is_counted_and_the_schedule_moves_on_without_a_burst() -> None:
    clock = ManualClock()
    body = RememberingBody(clock)
    loop = ControlLoop(body, SimulatedWorker(counting(10), lambda _: 0.0, clock), clock, TEN).ticks()  # type: ignore[arg-type]
    next(loop)
    clock.sleep_until(0.57)  # something held the loop up for nearly half a second
    late, following = next(loop), next(loop)
    assert late.late == pytest.approx(0.47) and following.late == 0.0
    assert following.at == pytest.approx(0.6)


class Forgetful:
    """Never answers the first request."""

    def __init__(self, clock: ManualClock) -> None:
        self._inner = SimulatedWorker(counting(10), lambda _: 0.0, clock)  # type: ignore[arg-type]

    def ask(self, request: Request) -> None:
        if request.number > 0:
            self._inner.ask(request)

    def answer(self) -> Answer | None:
        return self._inner.answer()


def test_an_answer_that_never_comes_is_asked_for_again_after_the_deadline() -> None:
    clock = ManualClock()
    loop = ControlLoop(RememberingBody(clock), Forgetful(clock), clock, LoopSettings(10, fps=10, deadline=0.25)).ticks()
    ticks = [next(loop) for _ in range(6)]
    assert [tick.action is not None for tick in ticks] == [False, False, False, True, True, True]
    assert "deadline of 0.25 s" in str(ticks[3].failed)


def test_one_failure_is_survived_and_three_in_a_row_are_raised() -> None:
    def failing(numbers: set[int]) -> object:
        def infer(request: Request) -> ActionChunk:
            if request.number in numbers:
                raise VlaDemoError("no memory left")
            return counting(10)(request)  # type: ignore[operator,no-any-return]

        return infer

    body, ticks = run(TEN, 0.0, 5, failing({0}))
    assert [tick.failed is not None for tick in ticks] == [True, False, False, False, False] and body.told == [None, 0, 1, 2, 3]
    with pytest.raises(VlaDemoError, match="no memory left"):
        run(TEN, 0.0, 5, failing({0, 1, 2}))


def test_one_inference_of_three_seconds_starves_the_loop_once_and_then_it_is_as_before() -> None:
    clock = ManualClock()
    took = chain([0.2] * 4, [3.0], repeat(0.2))
    worker = SimulatedWorker(counting(10), lambda _: next(took), clock)  # type: ignore[arg-type]
    ticks = list(islice(ControlLoop(RememberingBody(clock), worker, clock, TEN).ticks(), 200))
    starved = [tick.index for tick in ticks[3:] if tick.action is None]  # the first plan takes two ticks
    assert 15 <= len(starved) <= 30 and starved == list(range(starved[0], starved[-1] + 1))
    late, *after = ticks[starved[-1] + 1 : starved[-1] + 3], *ticks[starved[-1] + 3 :]
    assert all(tick.observation_age is not None and tick.observation_age > 2.9 for tick in late)  # planned from where the arm still stands
    assert all(tick.observation_age is not None and tick.observation_age < 0.7 for tick in after)


def test_a_chunk_that_is_not_finite_never_reaches_the_body() -> None:
    def infer(request: Request) -> ActionChunk:
        return ActionChunk(np.full((10, 1), math.nan if request.number == 0 else 1.0, np.float32), 0.0)

    body, _ = run(TEN, 0.0, 3, infer)
    assert body.told == [None, 1.0, 1.0]


def test_the_real_clock_keeps_the_schedule() -> None:
    clock = RealClock()
    began = clock.now()
    clock.sleep_until(began + 0.02)
    clock.sleep_until(began)  # already past
    assert clock.now() - began >= 0.02


@pytest.mark.parametrize("wrong", [{"mode": "fast"}, {"fps": 0}, {"chunk_size_threshold": 2}, {"actions_per_chunk": 0}, {"deadline": 0}])
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        LoopSettings(**{"actions_per_chunk": 10, **wrong})  # type: ignore[arg-type]
