"""`vla-board`: the program on a board. It reads the command line and prints; `serve_board` does the work."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vla_demo.cli.verb import positive
from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.runtime.providers import PROCESSOR

if TYPE_CHECKING:
    from vla_demo.board.so101_arm import ArmSettings
    from vla_demo.twin.desk_messages import DeskSettings

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
    from vla_demo.workbench.robot.serve_board import BoardOptions, serve

    _check_robot(chosen)
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        raise InvalidInput("--tls-cert and --tls-key come together")
    options = BoardOptions(
        robot=_desk(chosen) if chosen.robot == "twin" else _arm(chosen),
        packages=chosen.packages,
        twin_name=chosen.twin_name,
        listen=chosen.listen,
        stop_port=chosen.stop_port,
        token_file=chosen.token_file,
        certificate=(chosen.tls_cert, chosen.tls_key) if chosen.tls_cert else None,
        episodes=chosen.episodes,
        episodes_limit=chosen.episodes_limit * 10**9,
        hz=chosen.hz,
        threads=chosen.threads,
        provider=chosen.provider,
        end_with_stdin=chosen.end_with_stdin,
    )
    serve(options, lambda host, port, stop: print(f"listening on {host}:{port}, Stop on {stop}", flush=True))


def _desk(chosen: argparse.Namespace) -> "DeskSettings":
    from vla_demo.twin.desk_messages import DeskSettings

    log = None if chosen.twin_log is None else str(chosen.twin_log)
    return DeskSettings(chosen.twin_start, _size(chosen.twin_size), log=log)


def _arm(chosen: argparse.Namespace) -> "ArmSettings":
    from vla_demo.board.so101_arm import ArmSettings

    if not chosen.port or not chosen.robot_id or not chosen.cameras:
        raise InvalidInput("--robot so101 wants --port, --robot-id (the name it was calibrated under) and --cameras")
    size = None if chosen.camera_size is None else _size(chosen.camera_size)
    return ArmSettings(chosen.port, chosen.robot_id, _cameras(chosen.cameras), size, chosen.camera_fps, chosen.calibration)


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
