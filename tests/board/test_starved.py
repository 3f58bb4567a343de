"""F19: a board that hardly gets a processor. Late ticks are counted, the limits hold, and Stop is still obeyed."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.boards import (
    BoardProcess,
    begin_task,
    board_process,
    expect_limits,
    goal_changed_last,
    is_moving,
    print_times,
    some_phase,
    swinging_package,
    wait_for_rest,
)
from tests.lateness import Witness
from tests.waiting import look_on, stall, wait_until
from vla_demo.board.client import BoardClient

STANDS, RUNS = 0.15, 0.05  # s in turns, as a quota of the processor's time would have it


@pytest.fixture
def own(tmp_path: Path) -> Iterator[BoardProcess]:
    swinging_package(tmp_path / "packages" / "swing")
    with board_process(tmp_path) as process:
        yield process


@contextlib.contextmanager
def starved(process: BoardProcess) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=_throttle, args=(process, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _throttle(process: BoardProcess, over: threading.Event) -> None:
    while not over.is_set():
        process.program.send_signal(signal.SIGSTOP)
        stall(STANDS)
        process.program.send_signal(signal.SIGCONT)
        look_on(RUNS)


@pytest.mark.parametrize("seeds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_starved_board_counts_its_late_ticks_keeps_its_limits_and_obeys_stop(
    own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    halted = []
    for seed in range(seeds):
        with own.client() as board:
            board.acquire("Ada", takeover=True)
            wait_until(lambda board=board: not board.watch().moving)
            begin_task(board, "swing")
            wait_until(lambda: is_moving(own.did()), what="the swing")
            before = board.watch().counts["late_ticks"]
            with starved(own):
                wait_until(lambda board=board, before=before: _is_counted(board, before), what="late ticks being counted")
                some_phase(seed)
                pressed = time.monotonic()
                board.stop("Ada")
                wait_for_rest(own)
                look_on(0.3)
                halted.append(goal_changed_last(own.did(), pressed))
                assert halted[-1] < 1.0 + machine.allowance(pressed) and not is_moving(own.did(), 0.3)
    print_times("Stop of a board that runs a quarter of the time, the goal stands still", halted, capsys)
    expect_limits(own.did())


def _is_counted(board: BoardClient, before: int) -> bool:
    """That ticks come late; or the board has stopped by itself."""
    seen = board.watch()
    return seen.counts["late_ticks"] > before + 5 or seen.state != "running"
