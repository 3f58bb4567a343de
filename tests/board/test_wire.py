"""Anything at all on the wire: the board goes on, says no, and keeps its memory."""

import socket
import time
from collections.abc import Callable

import grpc
import numpy as np
import pytest

from tests.board.boards import BoardProcess, begin_task, is_moving
from tests.lateness import Witness
from tests.waiting import wait_until
from vla_demo.board import link_pb2 as link
from vla_demo.board.client import BoardClient
from vla_demo.core.errors import BoardError

METHODS = [f"{service}/{m.name}" for service in ("Board", "Episodes") for m in link.DESCRIPTOR.services_by_name[service].methods]


def raw(board: BoardProcess, method: str, body: bytes) -> grpc.StatusCode | None:
    """The code of a call whose message is just these bytes."""
    with grpc.insecure_channel(board.address) as channel:
        call = channel.unary_unary(f"/vla_demo.board.v1.{method}")
        try:
            call(body, timeout=5, metadata=(("authorization", f"Bearer {board.token}"),))
        except grpc.RpcError as error:
            return error.code()  # type: ignore[attr-defined,no-any-return]
    return None


@pytest.mark.parametrize("method", METHODS)
def test_no_bytes_in_any_call_move_the_arm_or_end_the_board(board: BoardProcess, client: BoardClient, method: str) -> None:
    random = np.random.default_rng(METHODS.index(method))
    state = client.watch().state
    with grpc.insecure_channel(board.address) as channel:
        call = channel.unary_unary(f"/vla_demo.board.v1.{method}")
        for length in random.integers(0, 2000, 40):
            try:
                call(random.bytes(int(length)), timeout=5, metadata=(("authorization", f"Bearer {board.token}"),))
            except grpc.RpcError:
                continue
    assert client.watch().state == state and client.watch().holder == "Ada" and not is_moving(board.did(), 0.3)


def test_a_command_without_a_stamp_or_with_an_empty_one_is_refused(board: BoardProcess, client: BoardClient) -> None:
    for method in METHODS:
        if method.partition("/")[2] in {"Hello", "Watch", "Look", "Packages", "Acquire", "Recordings"}:
            continue
        assert raw(board, method, b"") is grpc.StatusCode.ABORTED, method


def test_a_call_that_is_not_there_is_not_answered(board: BoardProcess) -> None:
    assert raw(board, "Board/Shutdown", b"") is grpc.StatusCode.UNIMPLEMENTED


NOISE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "noise": lambda: np.random.default_rng(1).bytes(100_000),
    "http": lambda: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a preface": lambda: b"PRI * HTTP/2.0\r\n\r\nSM",
    "a preface and noise": lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + np.random.default_rng(2).bytes(100_000),
}


def test_noise_on_the_port_disturbs_nobody(board: BoardProcess, client: BoardClient) -> None:
    begin_task(client, "swing")
    before = client.watch().memory_bytes
    for _ in range(10):
        for port in (board.port, board.stop_port):
            for make in NOISE.values():
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    try:
                        sock.sendall(make())
                    except OSError:
                        continue
    assert client.watch().state == "running" and client.watch().memory_bytes < before + (50 << 20)
    client.stop()
    wait_until(lambda: not client.watch().moving)


def test_many_who_only_connect_do_not_keep_anybody_from_stopping(board: BoardProcess, client: BoardClient, machine: Witness) -> None:
    begin_task(client, "swing")
    idle = [socket.create_connection(("127.0.0.1", port)) for port in (board.port, board.stop_port) for _ in range(100)]
    began = time.monotonic()
    client.stop("Ada")
    assert time.monotonic() - began < 1 + machine.allowance(began) and client.watch().state == "stopped"
    for sock in idle:
        sock.close()


def test_a_stop_that_cannot_be_reached_is_said_when_connecting_and_not_when_it_is_needed(board: BoardProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging, pytest.raises(BoardError, match=r"connection for Stop .* is its port open"):
        BoardClient(board.address, board.token, stop_port=hanging.getsockname()[1])


def test_a_board_that_hangs_is_noticed_within_the_deadline(board: BoardProcess) -> None:
    """A server that takes connections and never answers: every call comes back, with a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        began = time.monotonic()
        with pytest.raises(BoardError, match=r"did not answer Hello within 2 s|cannot be reached"):
            BoardClient(f"127.0.0.1:{hanging.getsockname()[1]}", board.token)
        assert time.monotonic() - began < 3
