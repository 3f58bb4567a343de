"""One board for the tests of this room that only talk to it; those that break one start their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.boards import BoardProcess, board_process, swinging_package
from tests.lateness import Witness
from tests.waiting import wait_until
from vla_demo.board.client import BoardClient


@pytest.fixture(scope="package")
def swing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package whose policy swings the first joint for ever."""
    return swinging_package(tmp_path_factory.mktemp("swing") / "swing").folder


@pytest.fixture(scope="package")  # its twin draws pictures all the time, so it does not outlive the room
def board(tmp_path_factory: pytest.TempPathFactory, swing: Path) -> Iterator[BoardProcess]:
    folder = tmp_path_factory.mktemp("board")
    shutil.copytree(swing, folder / "packages" / "swing")
    with board_process(folder) as process:
        yield process


@pytest.fixture
def machine() -> Iterator[Witness]:
    """What this machine itself adds to a time, for the bounds that a busy one must not break."""
    witness = Witness()
    yield witness
    witness.close()


@pytest.fixture
def client(board: BoardProcess) -> Iterator[BoardClient]:
    """The holder of the lease; the board is stopped and free afterwards."""
    with board.client() as client:
        client.acquire("Ada", takeover=True)
        wait_until(lambda: not client.watch().moving)
        yield client
        client.stop("the test")
        if client.lost is None:
            client.acquire("the test", takeover=True)
            client.release()
