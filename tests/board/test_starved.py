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
    some_phase,
    swinging_package,
    told,
    wait_until,
)
from vla_demo.board import link_pb2 as link

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
        time.sleep(STANDS)
        process.program.send_signal(signal.SIGCONT)
        time.sleep(RUNS)


@pytest.mark.parametrize("seeds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_starved_board_counts_its_late_ticks_keeps_its_limits_and_obeys_stop(
    own: BoardProcess, seeds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    halted = []
    for seed in range(seeds):
        with own.client() as board:
            board.acquire("Ada", takeover=True)
            wait_until(lambda board=board: not board.watch().moving)
            begin_task(board, "swing")
            time.sleep(1)
            before = board.watch().late_ticks
            with starved(own):
                time.sleep(2)
                some_phase(seed)
                seen = board.watch()
                assert seen.late_ticks > before + 5 or seen.state != link.RUNNING  # counted, or it has stopped by itself
                pressed = time.monotonic()
                board.stop("Ada")
                time.sleep(1.5)
                halted.append(goal_changed_last(own.did(), pressed))
                assert not is_moving(own.did(), 0.3)
    told("Stop of a board that runs a quarter of the time, the goal stands still", halted, capsys)
    assert max(halted) < 1.0
    expect_limits(own.did())
