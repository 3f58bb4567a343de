"""`vla-board`: the program on a board. Here, and only here, a board is given its body."""

import argparse
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vla_demo.cli.verb import positive
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.runtime.providers import PROCESSOR

if TYPE_CHECKING:
    from vla_demo.board.arm import Hardware
    from vla_demo.board.limits import RobotDescription
    from vla_demo.board.server import Listening
    from vla_demo.episodes.recorder import EpisodeRecorder

__all__ = ["main", "parser"]

ERROR = 2

_OF_ROBOT = {  # options that only one of them has
    "twin": ("twin_name", "twin_start", "twin_size", "twin_log"),
    "so101": ("port", "robot_id", "calibration", "cameras", "camera_size", "camera_fps"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and answer its exit code: 0, or 2 for what the user can mend."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.verb(chosen)
    except VlaDemoError as error:
        print(f"vla-board: {error}", file=sys.stderr)
        return ERROR
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    program = argparse.ArgumentParser(prog="vla-board", description="Drives an arm with an exported policy; a screen watches it.")
    verbs = program.add_subparsers(title="verbs", metavar="VERB", required=True)
    serve = verbs.add_parser("serve", help="drive a robot", description="Nothing moves before somebody resets and starts it.")
    serve.set_defaults(verb=_serve)
    serve.add_argument("--robot", choices=tuple(_OF_ROBOT), required=True, help="twin: the simulated arm; so101: the real one")
    serve.add_argument("--listen", default="127.0.0.1:7870", metavar="HOST:PORT", help="default: 127.0.0.1:7870")
    serve.add_argument("--stop-port", type=int, metavar="PORT", help="where Stop listens (default: the port after it)")
    serve.add_argument("--token-file", type=Path, metavar="F", help="what opens the board; wanted anywhere but on loopback")
    serve.add_argument("--tls-cert", type=Path, metavar="F", help="certificate chain, PEM; wanted anywhere but on loopback")
    serve.add_argument("--tls-key", type=Path, metavar="F", help="its private key, PEM")
    serve.add_argument("--packages", type=Path, required=True, metavar="DIR", help="where exported policies are kept")
    serve.add_argument("--episodes", type=Path, metavar="DIR", help="where tasks are recorded when asked to (default: beside the packages)")
    serve.add_argument("--episodes-limit", type=positive, default=8, metavar="GB", help="of all episodes together (default: 8)")
    serve.add_argument("--hz", type=float, default=30.0, help="control rate (default: 30)")
    serve.add_argument("--threads", type=positive, metavar="N", help="processors an inference may use (default: all but one)")
    serve.add_argument("--provider", default=PROCESSOR, metavar="NAME", help=f"what runs the graphs (default: {PROCESSOR}; see doctor)")
    serve.add_argument("--end-with-stdin", action="store_true", help="end when standard input closes: when whoever started it has gone")
    _add_twin(serve)
    _add_so101(serve)
    token = verbs.add_parser("token", help="make a token", description="Write a new random token to a file that only you can read.")
    token.set_defaults(verb=_token)
    token.add_argument("file", type=Path)
    doctor = verbs.add_parser("doctor", help="what is there", description="Print what a board needs and what this machine has.")
    doctor.set_defaults(verb=_doctor)
    doctor.add_argument("--packages", type=Path, metavar="DIR", help="where exported policies are kept")
    return program


def _check_robot(chosen: argparse.Namespace) -> None:
    """Raises `InvalidInput` for what belongs to the other robot: whoever says so means that one."""
    plain = parser().parse_args(["serve", "--robot", chosen.robot, "--packages", "."])
    foreign = [name for robot, names in _OF_ROBOT.items() if robot != chosen.robot for name in names]
    given = [f"--{name.replace('_', '-')}" for name in foreign if getattr(chosen, name) != getattr(plain, name)]
    if given:
        raise InvalidInput(f"{', '.join(given)}: not for --robot {chosen.robot}")


def _add_twin(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--twin-name", metavar="NAME", help="what its results are kept under (default: twin- and this machine's name)")
    serve.add_argument("--twin-start", default="test:0", metavar="S", help="how the twin's desk begins (default: test:0)")
    serve.add_argument("--twin-size", default="240x320", metavar="HxW", help="of the twin's pictures (default: 240x320)")
    serve.add_argument("--twin-log", type=Path, metavar="F", help="what the twin's arm did, 60 times a second, in 13 little-endian doubles")


def _add_so101(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--port", metavar="DEVICE", help="the arm's serial port, such as /dev/ttyACM0")
    serve.add_argument("--robot-id", metavar="ID", help="the name under which LeRobot keeps the arm's calibration")
    serve.add_argument("--calibration", type=Path, metavar="DIR", help="folder of that calibration (default: LeRobot's own)")
    serve.add_argument(
        "--cameras", nargs="+", default=[], metavar="NAME=DEVICE", help="named as the policy knows them, such as top=/dev/video0"
    )
    serve.add_argument("--camera-size", metavar="HxW", help="of the cameras' pictures (default: what they give)")
    serve.add_argument("--camera-fps", type=positive, metavar="N", help="pictures a second (default: what they give)")


def _token(chosen: argparse.Namespace) -> None:
    from vla_demo.board.tokens import new_token

    new_token(chosen.file)
    print(f"{chosen.file}: a new token; take it to the screen by a way that others cannot read")


def _doctor(chosen: argparse.Namespace) -> None:
    from vla_demo.board.doctor import findings

    for finding in findings(chosen.packages):
        print(finding)


def _serve(chosen: argparse.Namespace) -> None:
    try:
        from vla_demo.board.server import BoardServer, Kept, check_listening
    except ImportError as error:
        raise MissingPiece(f"the link needs gRPC ({error}): {install('board')}") from error
    from vla_demo.runtime.providers import Running, check_provider, preload

    _check_robot(chosen)
    listening = _listening(chosen)
    check_listening(listening)
    if not 1 <= chosen.hz <= 200:
        raise InvalidInput(f"{chosen.hz:g} Hz is no control rate; valid: 1 to 200")
    threads = _threads(chosen.threads)
    preload()
    check_provider(chosen.provider)
    description, hardware = _twin(chosen) if chosen.robot == "twin" else _so101(chosen)
    try:
        kept = Kept(chosen.packages, _recorder(chosen, description))
        server = BoardServer(description, hardware, chosen.hz, kept, listening, Running(threads, chosen.provider, lean=True))
    except BaseException:
        hardware.close()
        raise
    ended = threading.Event()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: ended.set())
    if chosen.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(ended,), name="standard input", daemon=True).start()
    print(f"listening on {listening.host}:{server.port}, Stop on {server.stop_port}", flush=True)
    ended.wait()
    server.close()


def _threads(asked: int | None) -> int:
    """Of an inference. The control loop wants a processor for itself."""
    there = os.cpu_count() or 2
    if asked is not None and asked > there:
        raise InvalidInput(f"{asked} threads are more than this machine has processors; valid: 1 to {there}")
    return asked or max(1, there - 1)


def _recorder(chosen: argparse.Namespace, robot: "RobotDescription") -> "EpisodeRecorder":
    """Which does nothing before somebody asks it to."""
    from vla_demo.episodes.light_dataset import CameraFacts
    from vla_demo.episodes.recorder import EpisodeRecorder, RecordedRobot, RecorderSettings

    joints = tuple(f"{joint.name}.pos" for joint in robot.limits.joints)  # LeRobot's names
    cameras = tuple(CameraFacts(camera.name, camera.height, camera.width) for camera in robot.cameras)
    folder = chosen.episodes or chosen.packages.absolute().parent / "episodes"
    recorded = RecordedRobot(robot.id, robot.kind, joints, cameras, chosen.hz)
    return EpisodeRecorder(recorded, RecorderSettings(folder, limit=chosen.episodes_limit * 10**9))


def _end_with_stdin(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


def _listening(chosen: argparse.Namespace) -> "Listening":
    from vla_demo.board.server import Listening
    from vla_demo.board.tokens import read_token, split_address

    host, port = split_address(chosen.listen)
    token = None if chosen.token_file is None else read_token(chosen.token_file)
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        raise InvalidInput("--tls-cert and --tls-key come together")
    try:
        tls = None if chosen.tls_cert is None else _certificate(chosen.tls_cert, chosen.tls_key)
    except OSError as problem:  # ssl's own is one too
        raise InvalidInput(f"{chosen.tls_cert} and {chosen.tls_key} are no certificate with its key: {problem}") from problem
    if port and chosen.stop_port == port:
        raise InvalidInput(f"--stop-port {port} is the link's own port; Stop needs one for itself")
    return Listening(host, port, token, tls, chosen.stop_port)


def _certificate(chain: Path, key: Path) -> tuple[bytes, bytes]:
    """Key and chain, PEM. Raises `OSError` when they are none, or not of each other."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")  # an encrypted key is refused, not asked about
    return key.read_bytes(), chain.read_bytes()


def _twin(chosen: argparse.Namespace) -> "tuple[RobotDescription, Hardware]":
    from vla_demo.board.limits import Patience
    from vla_demo.board.so101 import so101_description
    from vla_demo.twin.desk_messages import DeskSettings
    from vla_demo.twin.live import LiveTwin

    log = None if chosen.twin_log is None else str(chosen.twin_log)
    twin = LiveTwin(DeskSettings(chosen.twin_start, _size(chosen.twin_size), log=log))
    facts = twin.facts
    cameras = [(camera, *facts["image_size"]) for camera in facts["cameras"]]
    patience = Patience(observation=1.0)  # its pictures are drawn by a processor that has other work
    name = chosen.twin_name or f"twin-{socket.gethostname()}"
    return so101_description("twin", name, "", (facts["low"], facts["high"]), cameras, patience), twin


def _so101(chosen: argparse.Namespace) -> "tuple[RobotDescription, Hardware]":
    from vla_demo.board.so101 import so101_description
    from vla_demo.board.so101_arm import ArmSettings, So101Arm

    if not chosen.port or not chosen.robot_id or not chosen.cameras:
        raise InvalidInput("--robot so101 wants --port, --robot-id (the name it was calibrated under) and --cameras")
    size = None if chosen.camera_size is None else _size(chosen.camera_size)
    arm = So101Arm(ArmSettings(chosen.port, chosen.robot_id, _cameras(chosen.cameras), size, chosen.camera_fps, chosen.calibration))
    return so101_description("so101", chosen.robot_id, arm.calibration, arm.ranges, arm.camera_sizes), arm


def _cameras(given: Sequence[str]) -> dict[str, str]:
    found = dict(text.split("=", 1) for text in given if "=" in text)
    if len(found) < len(given) or not all(name and device for name, device in found.items()):
        raise InvalidInput(f"cannot read the cameras {' '.join(given)!r}; each is written once, like top=/dev/video0")
    return found


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not height.isdecimal() or not width.isdecimal() or not all(16 <= int(side) <= 1080 for side in (height, width)):
        raise InvalidInput(f"cannot read the size {text!r}; it is written like 240x320, each side 16 to 1080 pixels")
    return int(height), int(width)
