"""A board's process put together: the arm, its driver, and two listeners, one for everything and one for Stop alone."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc

from vla_demo.board import rpc
from vla_demo.board.arm import GuardedArm, Hardware
from vla_demo.board.driver import Driver
from vla_demo.board.guard import Guard
from vla_demo.board.lease import LOST_AFTER, LeaseDesk
from vla_demo.board.limits import RobotDescription
from vla_demo.board.packages import PackageShelf
from vla_demo.board.recording_service import EpisodeService
from vla_demo.board.recordings import Recorder, RecordingShelf
from vla_demo.board.service import BoardService, Parts, StopService
from vla_demo.board.tokens import is_loopback
from vla_demo.core.errors import InvalidInput
from vla_demo.runtime.clocks import RealClock
from vla_demo.runtime.providers import Running

__all__ = ["BoardServer", "Kept", "Listening", "check_listening"]

THREADS, STOP_THREADS = 16, 4
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # two boards on one port would share its calls
    ("grpc.max_receive_message_length", rpc.MOST_BYTES_IN),
    ("grpc.max_send_message_length", rpc.MOST_BYTES_OUT),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.max_concurrent_streams", 32),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a board listens and whom it lets in."""

    host: str
    port: int  # 0: a free one
    token: str | None
    tls: tuple[bytes, bytes] | None = None  # private key and certificate chain, PEM
    stop_port: int | None = None  # None: the one after `port`


@dataclass(frozen=True, slots=True)
class Kept:
    """What a board keeps on its disk: packages in a folder, and episodes in the recorder's."""

    packages: Path
    recorder: Recorder


def check_listening(listening: Listening) -> None:
    """Raise `InvalidInput` for a board that strangers could reach: away from loopback it wants a token, and TLS to carry it."""
    if is_loopback(listening.host):
        return
    missing = [
        what
        for what, there in (("a token (--token-file)", listening.token), ("TLS (--tls-cert and --tls-key)", listening.tls))
        if not there
    ]
    if missing:
        raise InvalidInput(
            f"{listening.host} can be reached from the network, so the board wants {' and '.join(missing)}; "
            "or listen on 127.0.0.1 and come through an SSH tunnel"
        )


class BoardServer:
    """Listens from the beginning; close it. Raises `InvalidInput` for an address that is taken, or that `check_listening` refuses."""

    def __init__(
        self, robot: RobotDescription, hardware: Hardware, hz: float, kept: Kept, listening: Listening, running: Running | None = None
    ) -> None:
        check_listening(listening)
        clock = RealClock()
        desk = LeaseDesk(clock)
        arm = GuardedArm(hardware, Guard(robot.limits, 1 / hz), clock)
        self._hardware = hardware
        self.driver = Driver(arm, robot.limits, hz, clock, lambda: None if desk.holder() else _link_lost(), kept.recorder)
        self.service = BoardService(Parts(robot, hardware, self.driver, desk, PackageShelf(kept.packages), clock, running or Running()))
        episodes = EpisodeService(self.driver, desk, RecordingShelf(kept.recorder.folder))
        self._server, self.port = _listener(listening, listening.port, THREADS, {"Board": self.service, "Episodes": episodes})
        wanted = listening.stop_port if listening.stop_port is not None else (self.port + 1 if listening.port else 0)
        stop = {"StopButton": StopService(self.driver, clock)}
        self._stop_server, self.service.stop_port = _listener(listening, wanted, STOP_THREADS, stop)
        self._stop_server.start()
        self._server.start()

    @property
    def stop_port(self) -> int:
        return self.service.stop_port

    def close(self) -> None:
        """The arm comes to rest, then nobody is listened to any more."""
        self.driver.close()
        for server in (self._server, self._stop_server):
            server.stop(grace=0.5)
        self._hardware.close()
        self.driver.recorder.close()


def _link_lost() -> str:
    return f"the link was lost: no heartbeat for {LOST_AFTER:g} s"


def _listener(listening: Listening, port: int, threads: int, services: Mapping[str, object]) -> tuple[grpc.Server, int]:
    gates = [rpc.TokenGate(listening.token)] if listening.token else []
    server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="+".join(services)), interceptors=gates, options=_OPTIONS)
    server.add_generic_rpc_handlers(tuple(rpc.handlers(name, target) for name, target in services.items()))
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    try:
        if listening.tls is None:
            bound = server.add_insecure_port(f"{host}:{port}")
        else:
            bound = server.add_secure_port(f"{host}:{port}", grpc.ssl_server_credentials([listening.tls]))
    except (RuntimeError, ValueError) as problem:
        raise InvalidInput(f"cannot listen on {host}:{port}: {problem}") from problem
    return server, int(bound)
