"""Serves a board until it is told to end: here, and only here, a board is given its body, its listeners and its recorder.

`vla-board` calls `serve`. The simulated board runs this module as a program, with its options as JSON; its first line on standard output is
JSON too: the address, or the error. Importing it loads no more than a board has, and gRPC, MuJoCo and LeRobot only when they are needed.
"""

import json
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vla_demo.board.so101_arm import ArmSettings
from vla_demo.board.tokens import read_token, split_address
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError, error_message
from vla_demo.core.extras import install
from vla_demo.runtime.providers import PROCESSOR, Running, check_provider, preload
from vla_demo.twin.desk_messages import DeskSettings

if TYPE_CHECKING:
    from vla_demo.board.arm import Hardware
    from vla_demo.board.limits import RobotDescription
    from vla_demo.board.server import Listening
    from vla_demo.episodes.recorder import EpisodeRecorder

__all__ = ["BoardOptions", "serve", "simulated_arguments"]

_SLOWEST_HZ, _FASTEST_HZ = 1, 200


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What a board is, and how it is reached."""

    robot: DeskSettings | ArmSettings  # the twin, or the real arm
    packages: Path  # folder of exported policies
    twin_name: str | None = None  # what the twin's results are kept under; None: twin- and this machine's name
    listen: str = "127.0.0.1:7870"
    stop_port: int | None = None  # None: the one after that of `listen`
    token_file: Path | None = None
    certificate: tuple[Path, Path] | None = None  # chain and private key, PEM
    episodes: Path | None = None  # None: beside the packages
    episodes_limit: int = 8 * 10**9  # bytes of all episodes together
    hz: float = 30.0  # control rate
    threads: int | None = None  # of an inference; None: all processors but one
    provider: str = PROCESSOR
    end_with_stdin: bool = False  # when whoever started it has gone


def serve(options: BoardOptions, announce: Callable[[str, int, int], None]) -> None:
    """Drive the robot until SIGINT, SIGTERM or, if so chosen, the end of standard input; nothing moves before somebody resets and starts.

    `announce` is called once it listens, with the host, the port and the port of Stop. Raises `MissingPiece` without gRPC or the robot's
    library, and `InvalidInput` for options that do not fit, an address that is taken or a token that could be guessed.
    """
    try:
        from vla_demo.board.server import BoardServer, Kept, check_listening
    except ImportError as error:
        raise MissingPiece(f"the link needs gRPC ({error}): {install('board')}") from error
    listening = _listening(options)
    check_listening(listening)
    if not _SLOWEST_HZ <= options.hz <= _FASTEST_HZ:
        raise InvalidInput(f"{options.hz:g} Hz is no control rate; valid: {_SLOWEST_HZ} to {_FASTEST_HZ}")
    running = Running(_threads(options.threads), options.provider, lean=True)
    preload()
    check_provider(options.provider)
    description, hardware = _twin(options.robot, options) if isinstance(options.robot, DeskSettings) else _so101(options.robot)
    try:
        kept = Kept(options.packages, _recorder(options, description))
        server = BoardServer(description, hardware, options.hz, kept, listening, running)
    except BaseException:
        hardware.close()
        raise
    ended = _end_event(options.end_with_stdin)
    announce(listening.host, server.port, server.stop_port)
    ended.wait()
    server.close()


def simulated_arguments(folder: Path, log: Path, episodes: Path) -> list[str]:
    """The arguments that make this module, run with `python -m`, the simulated board; the file `token` in `folder` opens it."""
    return [json.dumps({"folder": str(folder), "log": str(log), "episodes": str(episodes)})]


def _simulated_options(argument: str) -> BoardOptions:
    given = json.loads(argument)
    folder = Path(given["folder"])
    return BoardOptions(
        DeskSettings(log=given["log"]),
        folder / "packages",
        twin_name="twin",
        listen="127.0.0.1:0",
        token_file=folder / "token",
        episodes=Path(given["episodes"]),
        end_with_stdin=True,
    )


def _end_event(end_with_stdin: bool) -> threading.Event:
    """Set by a signal or, if so chosen, by the end of standard input."""
    ended = threading.Event()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: ended.set())

    def read_to_the_end() -> None:
        sys.stdin.buffer.read()
        ended.set()

    if end_with_stdin:
        threading.Thread(target=read_to_the_end, name="standard input", daemon=True).start()
    return ended


def _threads(asked: int | None) -> int:
    """Of an inference. The control loop wants a processor for itself."""
    there = os.cpu_count() or 2
    if asked is not None and asked > there:
        raise InvalidInput(f"{asked} threads are more than this machine has processors; valid: 1 to {there}")
    return asked or max(1, there - 1)


def _recorder(options: BoardOptions, robot: "RobotDescription") -> "EpisodeRecorder":
    """Which does nothing before somebody asks it to."""
    from vla_demo.episodes.light_dataset import CameraFacts
    from vla_demo.episodes.recorder import EpisodeRecorder, RecordedRobot, RecorderSettings

    joints = tuple(f"{joint.name}.pos" for joint in robot.limits.joints)  # LeRobot's names
    cameras = tuple(CameraFacts(camera.name, camera.height, camera.width) for camera in robot.cameras)
    folder = options.episodes or options.packages.absolute().parent / "episodes"
    recorded = RecordedRobot(robot.id, robot.kind, joints, cameras, options.hz)
    return EpisodeRecorder(recorded, RecorderSettings(folder, limit=options.episodes_limit))


def _listening(options: BoardOptions) -> "Listening":
    from vla_demo.board.server import Listening

    host, port = split_address(options.listen)
    token = None if options.token_file is None else read_token(options.token_file)
    tls = None if options.certificate is None else _key_and_chain(*options.certificate)
    if port and options.stop_port == port:
        raise InvalidInput(f"--stop-port {port} is the link's own port; Stop needs one for itself")
    return Listening(host, port, token, tls, options.stop_port)


def _key_and_chain(chain: Path, key: Path) -> tuple[bytes, bytes]:
    """The contents of both files, PEM. Raises `InvalidInput` when they are none, or not of each other."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")  # an encrypted key is refused, not asked about
        return key.read_bytes(), chain.read_bytes()
    except OSError as problem:  # ssl's own is one too
        raise InvalidInput(f"{chain} and {key} are no certificate with its key: {problem}") from problem


def _twin(desk: DeskSettings, options: BoardOptions) -> "tuple[RobotDescription, Hardware]":
    from vla_demo.board.limits import Patience
    from vla_demo.board.so101 import so101_description
    from vla_demo.twin.live import LiveTwin

    twin = LiveTwin(desk)
    facts = twin.facts
    cameras = [(camera, *facts["image_size"]) for camera in facts["cameras"]]
    patience = Patience(observation=1.0)  # its pictures are drawn by a processor that has other work
    name = options.twin_name or f"twin-{socket.gethostname()}"
    return so101_description("twin", name, "", (facts["low"], facts["high"]), cameras, patience), twin


def _so101(settings: ArmSettings) -> "tuple[RobotDescription, Hardware]":
    from vla_demo.board.so101 import so101_description
    from vla_demo.board.so101_arm import So101Arm

    arm = So101Arm(settings)
    return so101_description("so101", settings.id, arm.calibration, arm.ranges, arm.camera_sizes), arm


def _print_address(host: str, port: int, stop_port: int) -> None:
    print(json.dumps({"address": f"{host}:{port}"}), flush=True)


if __name__ == "__main__":
    try:
        serve(_simulated_options(sys.argv[1]), _print_address)
    except VlaDemoError as error:
        print(json.dumps(error_message(error)), flush=True)
        sys.exit(2)
