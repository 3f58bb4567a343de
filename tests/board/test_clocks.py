"""Two machines never agree on the time: the screen's clock is an hour off, or jumps by one while the arm moves."""

import time
from collections.abc import Iterator

import pytest

from tests.board.boards import BoardProcess, begin_task, board_process, is_moving, rests_from, some_phase, swinging_package, wait_for_rest
from tests.lateness import Witness
from tests.waiting import look_on, wait_until
from vla_demo.board.client import BoardClient
from vla_demo.core.errors import BoardError

HOUR = 3600.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardProcess]:
    folder = tmp_path_factory.mktemp("clocks")
    swinging_package(folder / "packages" / "swing")
    with board_process(folder) as process:
        yield process


class Screen:
    """A client whose clock can be set."""

    def __init__(self, process: BoardProcess, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self.board = BoardClient(process.address, process.token, monotonic=lambda: time.monotonic() + self.ahead)


def ready(board: BoardClient) -> None:
    board.acquire("Ada", takeover=True)
    wait_until(lambda: not board.watch().moving)
    begin_task(board, "swing")


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_screen_whose_clock_is_an_hour_off_commands_as_any_other(own: BoardProcess, ahead: float) -> None:
    with Screen(own, ahead).board as board:
        ready(board)
        look_on(1.5)  # longer than a lease lives without heartbeats
        assert board.watch().state == "running" and is_moving(own.did())
        board.pause()


@pytest.mark.parametrize(
    ("jump", "seed"), [(HOUR, 0), (-HOUR, 1), *(pytest.param((-1) ** seed * HOUR, seed, marks=pytest.mark.soak) for seed in range(2, 22))]
)
def test_a_clock_that_jumps_loses_the_lease_and_nothing_of_it_comes_early_or_late(
    own: BoardProcess, jump: float, seed: int, machine: Witness
) -> None:
    screen = Screen(own)
    with screen.board as board:
        ready(board)
        some_phase(seed)
        assert is_moving(own.did())
        screen.ahead, jumped = jump, time.monotonic()
        with pytest.raises(BoardError, match=r"too late|not of this board's time"):
            board.pause()
        wait_until(lambda: board.watch().state == "stopped")
        assert "no heartbeat" in board.watch().reason
        wait_for_rest(own)
        look_on(0.3)
        assert rests_from(own.did(), jumped) < 2.0 + machine.allowance(jumped) and not is_moving(own.did(), 0.3)
    with Screen(own, jump).board as later:  # who shakes hands anew is understood again
        later.acquire("Ada", takeover=True)
        later.reset()
        assert later.watch().state == "ready"
