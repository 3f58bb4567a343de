"""The worker of the real clock: no tick waits for it, nothing asked of it gets lost, and it ends when it is told to.

The bounds on lateness are far below an inference and far above the noise of a busy machine.
"""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest

from tests.runtime.loops import RememberingBody, counting
from tests.waiting import stall, wait_until
from vla_demo.core.errors import DeadlineMissed, InvalidInput, VlaDemoError
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime.clocks import RealClock
from vla_demo.runtime.control_loop import Answer, ControlLoop, LoopSettings, Request, Tick, Worker
from vla_demo.runtime.threaded_worker import ThreadedWorker

FPS = 50
CHUNK = 40  # 0.8 s
SLOW = 0.35  # s an inference
SETTINGS = LoopSettings(CHUNK, fps=FPS)


def request(number: int) -> Request:
    return Request(number, Observation({}, np.zeros(1, np.float32), "", 0.0), 0, 0.0)


def slow(seconds: float) -> Callable[[Request], ActionChunk]:
    def infer(asked: Request) -> ActionChunk:
        stall(seconds)
        chunk: ActionChunk = counting(CHUNK)(asked)  # type: ignore[operator]
        return chunk

    return infer


def looped(worker: Worker, ticks: int, settings: LoopSettings = SETTINGS) -> tuple[RememberingBody, list[Tick]]:
    clock = RealClock()
    body = RememberingBody(clock)  # type: ignore[arg-type]
    return body, list(islice(ControlLoop(body, worker, clock, settings).ticks(), ticks))


def waited(worker: ThreadedWorker) -> Answer:
    """The next answer; the test fails when none comes."""
    answers: list[Answer] = []
    wait_until(lambda: bool(answers.extend(filter(None, [worker.answer()])) or answers), what="an answer")
    return answers[0]


class Blocking:
    """What the worker must not be: it infers while it is asked."""

    def __init__(self, infer: Callable[[Request], ActionChunk]) -> None:
        self._infer = infer
        self._ready: Answer | None = None

    def ask(self, asked: Request) -> None:
        self._ready = Answer(asked, self._infer(asked))

    def answer(self) -> Answer | None:
        answer, self._ready = self._ready, None
        return answer


@pytest.fixture
def hanging() -> Iterator[Callable[[Request], ActionChunk]]:
    """An inference that does not come back before the test is over."""
    over = threading.Event()

    def infer(asked: Request) -> ActionChunk:
        over.wait(60)
        raise VlaDemoError("the test is over")

    yield infer
    over.set()


def test_a_slow_inference_delays_no_tick_and_a_blocking_one_would() -> None:
    with ThreadedWorker(slow(SLOW)) as worker:
        body, ticks = looped(worker, 2 * FPS)
    assert max(tick.late for tick in ticks) < SLOW / 2
    assert [told for told in body.told if told is not None] == list(range(sum(told is not None for told in body.told)))
    assert sum(tick.arrived is not None for tick in ticks) >= 2
    _, blocked = looped(Blocking(slow(SLOW)), FPS)
    assert max(tick.late for tick in blocked) > SLOW / 2


def test_asking_returns_at_once_while_another_inference_runs(hanging: Callable[[Request], ActionChunk]) -> None:
    worker = ThreadedWorker(hanging)
    for number in range(20):  # who waited would get an answer
        worker.ask(request(number))
        assert worker.answer() is None
    worker.close(timeout=0)


def test_the_newest_request_wins_and_is_answered_once() -> None:
    asked, all_asked = list[int](), threading.Event()

    def infer(one: Request) -> ActionChunk:
        asked.append(one.number)
        assert all_asked.wait(30)
        return slow(0.0)(one)

    with ThreadedWorker(infer) as worker:
        worker.ask(request(0))
        wait_until(lambda: asked == [0], what="the first inference")
        for number in range(1, 5):
            worker.ask(request(number))
        all_asked.set()
        assert waited(worker).request.number == 4
        assert worker.answer() is None
    assert asked == [0, 4]


def test_an_exception_of_the_policy_is_an_answer_and_the_next_request_is_served() -> None:
    def infer(one: Request) -> ActionChunk:
        if one.number == 0:
            raise RuntimeError("out of memory")
        if one.number == 1:
            raise InvalidInput("no such camera")
        return slow(0.0)(one)

    with ThreadedWorker(infer) as worker:
        worker.ask(request(0))
        assert "RuntimeError: out of memory" in str(waited(worker).outcome)
        worker.ask(request(1))
        assert isinstance(waited(worker).outcome, InvalidInput)
        worker.ask(request(2))
        assert isinstance(waited(worker).outcome, ActionChunk)


def test_a_request_that_failed_while_the_queue_was_empty_is_asked_again() -> None:
    """LeRobot clears `must_go` before it knows, and freezes for good when that answer fails."""

    def infer(one: Request) -> ActionChunk:
        if one.number == 0:
            raise RuntimeError("once")
        return slow(0.0)(one)

    with ThreadedWorker(infer) as worker:
        body, ticks = looped(worker, FPS)
    assert sum(tick.failed is not None for tick in ticks) == 1 and body.told[-1] is not None


def test_an_arm_that_stands_still_is_planned_for_all_the_same() -> None:
    """LeRobot drops observations that look like the last one, and starves."""

    def infer(one: Request) -> ActionChunk:
        return ActionChunk(np.zeros((CHUNK, 1), np.float32), one.observation.captured_at)

    with ThreadedWorker(infer) as worker:
        body, ticks = looped(worker, 3 * CHUNK)
    assert sum(tick.arrived is not None for tick in ticks) >= 4
    assert None not in body.told[FPS // 2 :]


def test_a_policy_that_hangs_misses_its_deadline_and_ends_the_loop(hanging: Callable[[Request], ActionChunk]) -> None:
    """LeRobot's calls have no deadline: its client waits for ever."""
    began = time.monotonic()
    worker = ThreadedWorker(hanging)
    with pytest.raises(DeadlineMissed, match=r"deadline of 0\.2 s"):
        looped(worker, 1000, LoopSettings(CHUNK, fps=FPS, deadline=0.2))
    assert time.monotonic() - began < 15
    assert worker.close(timeout=0.1) is False
    assert time.monotonic() - began < 30


def test_a_closed_worker_has_ended_its_thread_and_takes_no_more() -> None:
    worker = ThreadedWorker(slow(0.0))
    worker.ask(request(0))
    assert worker.close() and worker.close()
    assert worker.answer() is None
    with pytest.raises(VlaDemoError, match="closed"):
        worker.ask(request(1))
