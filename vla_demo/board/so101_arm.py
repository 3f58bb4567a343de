"""The real arm behind the board's `Hardware`: LeRobot's driver of its servos and cameras, loaded only when this arm is chosen.

One thread owns the bus: it writes the newest goal and reads where the arm is, so that nobody else ever waits for a servo. Servos hold
their last goal by themselves, also when this program has ended: nothing here lets the arm fall. Calibrating is LeRobot's own business.
"""

import hashlib
import json
import logging
import termios
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.board.cameras import Cameras
from vla_demo.board.so101 import JOINTS
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.observation import Observation

__all__ = ["ArmSettings", "So101Arm"]

logger = logging.getLogger(__name__)

RATE = 60.0  # readings of the joints a second
SILENCE = 0.3  # s without a whole reading after which the bus counts as gone; a broken reply costs 0.05 s
TRIES = 3  # while it is set up
OVERLOADED = 0.5  # s at a servo's own protective current; the servo itself lets go after 2 s
_CURRENT_EVERY, _TORQUE_EVERY = 6, 30  # readings
_STEPS_A_TURN = 4095
_GRIPPER_TORQUE = 500  # of 1000, LeRobot's limit
_BROKEN = (OSError, RuntimeError, termios.error)  # how LeRobot, pyserial and the terminal say that a servo did not answer


@dataclass(frozen=True, slots=True)
class ArmSettings:
    port: str
    id: str  # of its calibration in LeRobot's folder
    cameras: Mapping[str, str]  # name: a device such as /dev/video0, or its number
    image_size: tuple[int, int] | None = None  # height, width; None for what the cameras give
    camera_fps: int | None = None
    calibration: Path | None = None  # LeRobot's folder for such files, when not its usual one


class So101Arm:
    """Close it. Raises `MissingPiece`, `InvalidInput` for a wrong calibration, `VlaDemoError` when servos or cameras do not answer."""

    def __init__(self, settings: ArmSettings) -> None:
        self._settings, self._robot = settings, _robot_of(settings)
        self._bus, self._cameras = self._robot.bus, self._robot.cameras
        self._pictures = Cameras(self._cameras)
        self._change = threading.Condition()
        self._goal: NDArray[np.float32] | None = None
        self._joints: tuple[float, NDArray[np.float32]] | None = None
        self._troubles: dict[str, str] = {}  # of what is watched, in words
        self._overloaded_since: dict[str, float] = {}
        self._closed, self._why_silent = False, ""
        self._thread = threading.Thread(target=self._attend, name="so101 bus", daemon=True)
        try:
            self._connect()
            self._protective = _attempt("the servos do not tell their limits", lambda: self._read("Protection_Current"), TRIES)
            _attempt("the servos do not tell where they are", self._measure_once, TRIES)
            self._thread.start()
        except BaseException:
            self.close()
            raise

    @property
    def calibration(self) -> str:
        """sha256 of what LeRobot calibrated."""
        plain = {name: vars(motor) for name, motor in sorted(self._robot.calibration.items())}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    @property
    def ranges(self) -> tuple[list[float], list[float]]:
        """Lows and highs as calibrated: degrees about the middle of each joint's range, and 0 to 100 for the gripper."""
        turning = [self._robot.calibration[name] for name in JOINTS[:-1]]
        half = [(motor.range_max - motor.range_min) * 180 / _STEPS_A_TURN for motor in turning]
        return [*(-h for h in half), 0.0], [*half, 100.0]

    @property
    def camera_sizes(self) -> list[tuple[str, int, int]]:
        """Name, height and width."""
        return [(name, int(camera.height), int(camera.width)) for name, camera in self._cameras.items()]

    def observe(self) -> Observation:
        """The newest pictures and joints, as old as the oldest of them. Raises `VlaDemoError` for a camera without any."""
        at, joints = self.measure()
        images, taken = self._pictures.newest()
        return Observation(images, joints, "", min(at, taken))

    def measure(self) -> tuple[float, NDArray[np.float32]]:
        """When (s, monotonic) and where the joints (J,) were last read. Raises `VlaDemoError` for a bus or servo in trouble."""
        with self._change:
            self._check()
            assert self._joints is not None
            return self._joints

    def send(self, goal: NDArray[np.float32]) -> None:
        """Head for `goal` (J,), written by the bus's thread at once; a sooner one replaces it. Raises `VlaDemoError` as `measure` does."""
        with self._change:
            self._check()
            self._goal = goal.copy()
            self._change.notify_all()

    def rearrange(self, start: str) -> None:
        raise InvalidInput("only a simulated desk can be rearranged; lay bag and mug out by hand")

    def close(self) -> None:
        """The arm keeps its torque and its pose: support it before its power is cut."""
        self._closed = True
        if self._thread.ident is not None:
            self._thread.join(2)
        if self._bus.is_connected:
            self._bus.disconnect(disable_torque=False)
        for camera in self._cameras.values():
            if camera.is_connected and time.perf_counter() - (camera.latest_timestamp or 0) < 1:  # OpenCV crashes on closing a stuck one
                camera.disconnect()

    def _connect(self) -> None:
        port, file = self._settings.port, self._robot.calibration_fpath
        advice = f"lerobot-calibrate --robot.type=so101_follower --robot.port={port} --robot.id={self._settings.id}"
        if set(self._robot.calibration) != set(JOINTS):
            raise InvalidInput(f"{file} holds no calibration of an SO-101; calibrate it first: {advice}")
        _attempt(f"no SO-101 answers at {port}", self._open_bus, TRIES)
        if not _attempt("the servos do not tell their calibration", lambda: self._bus.is_calibrated, TRIES):
            wrong = f"the servos are calibrated otherwise than {file} says, so degrees would be wrong"
            raise InvalidInput(f"{wrong}; use that arm's own file, or calibrate it again: {advice}")
        _attempt("the servos cannot be set up", self._take_hold, TRIES)
        for name, camera in self._cameras.items():
            _attempt(f"the camera {name!r} does not work", camera.connect)

    def _open_bus(self) -> None:
        if self._bus.is_connected:  # a try before this one, in which a servo did not answer
            self._bus.disconnect(disable_torque=False)
        self._bus.connect()

    def _take_hold(self) -> None:
        """An arm that is held, because a board before this one died, stays held; a limp one is stiffened where it is."""
        if not all(self._read("Torque_Enable").values()):
            # A servo that gets torque heads for the goal it was given last, however long ago.
            self._bus.sync_write("Goal_Position", self._read("Present_Position"), normalize=False)
            self._robot.configure()
        if self._read("Max_Torque_Limit")[JOINTS[-1]] > _GRIPPER_TORQUE or any(self._read("Operating_Mode").values()):
            raise VlaDemoError("they hold the arm but were set up by another program; support the arm, cut its power and start again")

    def _attend(self) -> None:
        turn = 0
        while not self._closed:
            due = time.monotonic() + 1 / RATE
            try:
                self._write_goal()
                self._measure_once()
                self._watch_servos(turn)
                turn += 1
            except _BROKEN as problem:
                self._why_silent = " ".join(str(problem).split())
                self._forget_replies()
            except Exception as error:  # the arm holds its last goal; whoever drives it must hear of it
                logger.exception("the bus's thread failed")
                self._why_silent = f"{type(error).__name__}: {error}"
                return
            with self._change:
                self._change.wait_for(lambda: self._closed or self._goal is not None, max(0.0, due - time.monotonic()))

    def _write_goal(self) -> None:
        with self._change:
            goal, self._goal = self._goal, None
        if goal is not None:
            self._bus.sync_write("Goal_Position", dict(zip(JOINTS, goal.tolist(), strict=True)))

    def _measure_once(self) -> None:
        found = self._bus.sync_read("Present_Position")
        joints = np.array([found[name] for name in JOINTS], np.float32)
        with self._change:
            self._joints = (time.monotonic(), joints)

    def _watch_servos(self, turn: int) -> None:
        if turn % _CURRENT_EVERY == 0:
            self._watch_current(self._read("Present_Current"), time.monotonic())
        if turn % _TORQUE_EVERY == 0:
            limp = [name for name, on in self._read("Torque_Enable").items() if not on]
            self._note("torque", f"{', '.join(limp)} lost torque; support the arm and start the board again" if limp else "")

    def _watch_current(self, currents: Mapping[str, int], now: float) -> None:
        """A collision or a jam: the sign bit tells only the direction."""
        high = [name for name in JOINTS if currents[name] & 0x7FFF >= self._protective[name]]
        self._overloaded_since = {name: self._overloaded_since.get(name, now) for name in high}
        stuck = [name for name, since in self._overloaded_since.items() if now - since >= OVERLOADED]
        self._note("current", f"{', '.join(stuck)} pushed with the servo's protective current for {OVERLOADED:g} s" if stuck else "")

    def _note(self, what: str, trouble: str) -> None:
        with self._change:
            self._troubles[what] = trouble

    def _read(self, what: str) -> dict[str, int]:
        return dict(self._bus.sync_read(what, normalize=False))

    def _forget_replies(self) -> None:
        """A late reply to one question must not be taken for the answer to the next."""
        try:
            self._bus.port_handler.ser.reset_input_buffer()
        except _BROKEN as problem:
            self._why_silent = f"the port is gone: {problem}"

    def _check(self) -> None:
        if any(self._troubles.values()):
            raise VlaDemoError("; ".join(filter(None, self._troubles.values())))
        if self._joints is None or time.monotonic() - self._joints[0] > SILENCE:
            silent = f"the servos have not answered for {SILENCE:g} s ({self._why_silent or 'the bus is busy'})"
            raise VlaDemoError(f"{silent}; the arm holds its last goal. Check its cable and power, then start the board again")


def _robot_of(settings: ArmSettings) -> Any:
    """LeRobot's `SOFollower`, not connected yet."""
    try:
        from lerobot.cameras import make_cameras_from_configs
        from lerobot.cameras.opencv import OpenCVCameraConfig
        from lerobot.robots.so_follower import SOFollower, SOFollowerRobotConfig

        height, width = settings.image_size or (None, None)
        pictures = {"height": height, "width": width, "fps": settings.camera_fps}
        devices = {name: int(device) if device.isdecimal() else Path(device) for name, device in settings.cameras.items()}
        cameras = {name: OpenCVCameraConfig(index_or_path=device, **pictures) for name, device in devices.items()}
        robot = SOFollower(SOFollowerRobotConfig(port=settings.port, id=settings.id, calibration_dir=settings.calibration))
        robot.cameras = make_cameras_from_configs(cameras)  # its configuration would want to know their size
        return robot
    except ImportError as error:
        raise MissingPiece(f"the real arm needs LeRobot's driver ({error}): {install('board,robot')}") from error


def _attempt[T](trouble: str, ask: Callable[[], T], tries: int = 1) -> T:
    """What LeRobot raises, as one sentence; a servo waits for nobody, so a busy machine may have to ask again."""
    try:
        return ask()
    except (*_BROKEN, ValueError) as problem:
        if tries > 1:
            return _attempt(trouble, ask, tries - 1)
        raise VlaDemoError(f"{trouble}: {' '.join(str(problem).split())}") from problem
