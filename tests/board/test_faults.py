"""What the arm does when something breaks, by the twin's own log: each fault at random phases of the motion.

One seed each in the usual run; `-m soak` takes twenty. What was measured is printed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.board.boards import (
    ROOT,
    BoardProcess,
    begin_task,
    board_process,
    expect_limits,
    goal_changed_last,
    is_moving,
    print_times,
    rests_from,
    some_phase,
    swinging_package,
    wait_for_rest,
)
from tests.lateness import Witness
from tests.waiting import look_on, wait_until
from vla_demo.board.client import BoardClient
from vla_demo.board.lease import LeaseRefused
from vla_demo.core.errors import BoardError

SEEDS = pytest.mark.parametrize("seeds", [1, pytest.param(20, marks=pytest.mark.soak)])
LOST_AFTER = 1.0  # s, the board's own
SOON = 0.5  # s: two control ticks and braking; what a busy machine adds is measured beside it
AFTER = 0.3  # s of standing that are looked at when it stands
COMMANDER = """
import sys
from vla_demo.board.client import BoardClient
from tests.board.boards import begin_task
from tests.waiting import wait_until
port, token, package = sys.stdin.readline().split()
board = BoardClient(f"127.0.0.1:{port}", token)
board.acquire("Ada", takeover=True)
begin_task(board, package)
print("begun", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    """A board whose pictures are large enough to fill a slow link."""
    folder = tmp_path_factory.mktemp("faults")
    swinging_package(folder / "packages" / "swing")
    with board_process(folder, "--twin-size", "96x128") as process:
        yield process


def ready(board: BoardClient) -> None:
    board.acquire("Ada", takeover=True)
    wait_until(lambda: not board.watch().moving)
    begin_task(board, "swing")


def expect_stopped(process: BoardProcess, why: str) -> None:
    with process.client() as viewer:
        wait_until(lambda: viewer.watch().state in ("stopped", "fault") and not viewer.watch().moving, what="the arm's stop")
        wait_for_rest(process)
        seen = viewer.watch()
        too_busy = seen.state == "fault" and "pictures are" in seen.reason  # they may grow too old first: that stands as well
        assert too_busy or (seen.state == "stopped" and why in seen.reason)
    look_on(AFTER)
    assert not is_moving(process.did(), AFTER)


@SEEDS
def test_stop_pressed_while_pictures_fill_the_link(
    own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    answered, halted, rested = [], [], []
    with own.link(bytes_a_second=5e5) as air, own.client(air) as board:
        over, viewers = threading.Event(), [own.client(air) for _ in range(3)]
        threads = [threading.Thread(target=_looking, args=(viewer, over), daemon=True) for viewer in viewers]
        for thread in threads:
            thread.start()
        for seed in range(seeds):
            ready(board)
            some_phase(seed)
            assert is_moving(own.did())
            pressed = time.monotonic()
            board.stop("Ada")
            answered.append(time.monotonic() - pressed)
            expect_stopped(own, "Ada pressed Stop")
            halted.append(goal_changed_last(own.did(), pressed))
            rested.append(rests_from(own.did(), pressed))
            assert halted[-1] < SOON + machine.allowance(pressed)
        over.set()
        for thread, viewer in zip(threads, viewers, strict=True):
            thread.join(5)
            viewer.close()
    print_times("Stop under video load, answered", answered, capsys)
    print_times("the goal stands still", halted, capsys)
    print_times("the arm stands still", rested, capsys)


def _looking(viewer: BoardClient, over: threading.Event) -> None:
    while not over.is_set():
        try:
            viewer.look(max_width=0)
        except BoardError:
            over.wait(0.01)


@SEEDS
def test_the_link_is_lost_without_a_word_and_comes_back(
    own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    halted = []
    for seed in range(seeds):
        with own.link() as air, own.client(air) as board:
            ready(board)
            some_phase(seed)
            lost = air.lose()
            clicks = [threading.Thread(target=_click, args=(board,), daemon=True) for _ in range(10)]
            for click in clicks:
                click.start()
            expect_stopped(own, "no heartbeat for 1 s")
            halted.append(goal_changed_last(own.did(), lost))
            assert halted[-1] < LOST_AFTER + SOON + machine.allowance(lost)
            healed = time.monotonic()
            air.heal()
            look_on(0.5)  # what was clicked arrives now
            assert goal_changed_last(own.did(), healed) == 0
            expect_stopped(own, "no heartbeat for 1 s")
    print_times("link lost, the goal stands still", halted, capsys)


def _click(board: BoardClient) -> None:
    """Somebody impatient."""
    for command in (board.reset, board.start):
        with contextlib.suppress(BoardError):
            command()


@SEEDS
def test_the_client_is_killed(own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    halted = []
    following = _commander()
    for seed in range(seeds):
        commander, following = following, _commander()
        _begins(commander, own)
        some_phase(seed)
        os.kill(commander.pid, signal.SIGKILL)
        killed = time.monotonic()
        commander.wait()
        expect_stopped(own, "no heartbeat for 1 s")
        halted.append(goal_changed_last(own.did(), killed))
        assert halted[-1] < LOST_AFTER + SOON + machine.allowance(killed)
    following.kill()
    following.wait()
    print_times("client killed, the goal stands still", halted, capsys)


def _commander() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", COMMANDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _begins(commander: subprocess.Popen[str], process: BoardProcess) -> None:
    assert commander.stdin is not None and commander.stdout is not None
    commander.stdin.write(f"{process.port} {process.token} swing\n")
    commander.stdin.flush()
    assert commander.stdout.readline() == "begun\n"


@SEEDS
def test_the_boards_program_is_killed(tmp_path: Path, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    """Its servos hold the last goal; started again, it is stopped, and nothing moves until somebody says so."""
    rested = []
    swinging_package(tmp_path / "packages" / "swing")
    for seed in range(seeds):
        (tmp_path / "log").unlink(missing_ok=True)
        with board_process(tmp_path) as process, process.client() as board:
            ready(board)
            some_phase(seed)
            killed = process.kill()
            wait_for_rest(process)
            look_on(AFTER)
            rested.append(rests_from(process.did(), killed))
            late = machine.allowance(killed)
            assert rested[-1] < SOON + late and goal_changed_last(process.did(), killed) < 0.1 + late
            assert not is_moving(process.did(), AFTER)
    with board_process(tmp_path) as again, again.client() as board:
        assert (board.watch().state, board.watch().reason) == ("stopped", "the board has just started")
        look_on(1)
        assert not is_moving(again.did(), 0.5)
    print_times("board killed, the arm stands still", rested, capsys)


def test_commands_that_are_late_replayed_or_reordered_move_nothing(own: BoardProcess) -> None:
    """Every stamp that was ever sent is sent again, in many orders, by somebody who has the token."""
    with own.client() as board:
        board.acquire("Ada", takeover=True)
        wait_until(lambda: not board.watch().moving)
        board.choose("swing")
        seen: list[tuple[str, object]] = []
        for name in ("Reset", "Start"):
            call = board._calls[name]
            board._calls[name] = lambda request, deadline, name=name, call=call: (seen.append((name, request)), call(request, deadline))[1]
        board.reset()
        board.start()
        board.stop()
        wait_until(lambda: not board.watch().moving)
        wait_for_rest(own)
        quiet, random = time.monotonic(), np.random.default_rng(3)
        with own.client() as attacker:
            for _ in range(50):
                name, request = seen[int(random.integers(len(seen)))]
                with pytest.raises(LeaseRefused, match=r"twice or out of order|too late"):
                    attacker._calls[name](request, 1.0)
        look_on(AFTER)
        assert goal_changed_last(own.did(), quiet) == 0 and board.watch().state == "stopped"


@SEEDS
def test_a_sleeping_client_comes_back_to_a_stopped_arm(
    own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGSTOP: the connection stays open, nothing is said. SIGCONT: what it had in mind comes too late."""
    halted = []
    for seed in range(seeds):
        commander = _commander()
        _begins(commander, own)
        some_phase(seed)
        os.kill(commander.pid, signal.SIGSTOP)
        slept = time.monotonic()
        expect_stopped(own, "no heartbeat for 1 s")
        halted.append(goal_changed_last(own.did(), slept))
        assert halted[-1] < LOST_AFTER + SOON + machine.allowance(slept)
        os.kill(commander.pid, signal.SIGCONT)
        woke = time.monotonic()
        look_on(1)
        assert goal_changed_last(own.did(), woke) == 0
        expect_stopped(own, "no heartbeat for 1 s")
        commander.kill()
        commander.wait()
    print_times("client asleep, the goal stands still", halted, capsys)


@SEEDS
def test_another_takes_over_in_the_middle(own: BoardProcess, seeds: int, machine: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    halted = []
    for seed in range(seeds):
        with own.client() as first, own.client() as second:
            ready(first)
            some_phase(seed)
            assert is_moving(own.did())
            taken = time.monotonic()
            second.acquire("Bob", takeover=True)
            for command in (first.start, first.reset, first.pause):
                with pytest.raises(BoardError):
                    command()
            expect_stopped(own, "Bob took the lease")
            halted.append(goal_changed_last(own.did(), taken))
            assert halted[-1] < SOON + machine.allowance(taken)
    print_times("somebody takes over, the goal stands still", halted, capsys)


def test_the_commands_of_every_fault_kept_the_limits(own: BoardProcess) -> None:
    """All that this board's arm was told in this file."""
    expect_limits(own.did())
