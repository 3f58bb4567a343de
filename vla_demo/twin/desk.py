"""The far side of `live`: the process in which the desk stands. One thread moves the world in real time, and waits for
nothing; one reports the joints, one draws and reports the pictures."""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any, BinaryIO

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.desk_messages import ANSWER, FACTS, GOAL, JOINTS, PICTURES, QUIT, REARRANGE, DeskSettings
from vla_demo.twin.protocol import starts_named
from vla_demo.twin.scene import CAMERAS, INSTRUCTION, JOINT_NAMES, JOINT_RANGE, from_dataset_units, to_dataset_units
from vla_demo.twin.starts import Start, prepare
from vla_demo.twin.world import TeaBagTwin

__all__ = ["run_desk"]

RATE = 60  # steps of the world a second, and rows of the log
_SUBSTEPS = 600 // RATE
_MOST_BEHIND = 0.25  # s; a world that was held up longer does not hurry after


def run_desk(pipe: Connection, settings: DeskSettings) -> None:
    """Until the pipe is told to quit, or has been closed for `outlive` seconds."""
    try:
        desk = _Desk(settings)
    except InvalidInput as error:
        _introduce(pipe, {"error": str(error)})
        return
    _introduce(
        pipe,
        {
            "joints": JOINT_NAMES,
            "low": [float(v) for v in to_dataset_units(JOINT_RANGE[:, 0].copy())],
            "high": [float(v) for v in to_dataset_units(JOINT_RANGE[:, 1].copy())],
            "cameras": CAMERAS,
            "image_size": settings.image_size,
            "instruction": INSTRUCTION,
        },
    )
    for report in (desk.report_joints, desk.report_pictures):
        threading.Thread(target=report, args=(pipe,), name=report.__name__, daemon=True).start()
    desk.live(pipe)


def _introduce(pipe: Connection, facts: Mapping[str, Any]) -> None:
    pipe.send_bytes(FACTS + json.dumps(facts).encode())


def _start_named(text: str) -> Start:
    """`test:3`: the fourth start of a split. Raises `InvalidInput`."""
    split, _, place = text.partition(":")
    try:
        starts = starts_named(split)
    except InvalidInput:
        raise InvalidInput(f"there is no start {text!r}; a start is written like test:0 or validation:3") from None
    if not place.isdecimal() or int(place) >= len(starts):
        raise InvalidInput(f"there is no start {text!r}; of {split} there are {split}:0 to {split}:{len(starts) - 1}")
    return starts[int(place)]


def _open_log(log: str) -> BinaryIO:
    """As long as the process lives. Raises `InvalidInput`."""
    try:
        return open(log, "ab")
    except OSError as problem:
        raise InvalidInput(f"the log {log} cannot be written: {problem.strerror}") from problem


class _Desk:
    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._turn = threading.Lock()  # between moving the world and taking its picture
        self._sending = threading.Lock()  # one message at a time on the pipe; the world's thread never takes it
        self._answers = queue.SimpleQueue[str]()
        self._twin = TeaBagTwin(settings.image_size)
        prepare(self._twin, _start_named(settings.start))
        self._goal = np.array(self._twin.data.ctrl)
        self._log = _open_log(settings.log) if settings.log else None

    def live(self, pipe: Connection) -> None:
        due, left = monotonic(), None
        while left is None or monotonic() < left + self._settings.outlive:
            if left is None:
                try:
                    if not self._read_commands(pipe):
                        return
                except (EOFError, OSError):
                    left = monotonic()  # whoever drove it has gone; the servos hold
            with self._turn:
                self._twin.advance(self._goal, _SUBSTEPS)
            self._log_state()
            due = max(due + 1 / RATE, monotonic() - _MOST_BEHIND)
            time.sleep(max(0.0, due - monotonic()))

    def _read_commands(self, pipe: Connection) -> bool:
        """All that wait in the pipe; False to quit."""
        while pipe.poll():
            message = pipe.recv_bytes()
            kind, body = message[:1], message[1:]
            if kind == QUIT:
                return False
            if kind == GOAL:
                self._goal = from_dataset_units(np.frombuffer(body).astype(np.float32))
            elif kind == REARRANGE:
                self._answers.put(self._rearrange(body.decode()))
        return True

    def _rearrange(self, start: str) -> str:
        """Nothing, or why it cannot be done."""
        try:
            with self._turn:
                prepare(self._twin, _start_named(start))
                self._goal = np.array(self._twin.data.ctrl)
        except InvalidInput as error:
            return str(error)
        return ""

    def _log_state(self) -> None:
        if self._log is not None:
            row = [monotonic(), *to_dataset_units(self._twin.joints), *to_dataset_units(self._goal.copy())]
            self._log.write(np.array(row).tobytes())
            self._log.flush()

    def report_joints(self, pipe: Connection) -> None:
        """At every step of the world. It may block when nobody reads; the world goes on."""
        with contextlib.suppress(OSError):
            while True:
                self._send(pipe, JOINTS + np.array([monotonic(), *to_dataset_units(self._twin.joints)]).tobytes())
                while not self._answers.empty():
                    self._send(pipe, ANSWER + self._answers.get().encode())
                time.sleep(1 / RATE)

    def report_pictures(self, pipe: Connection) -> None:
        """At the cameras' pace, with the joints of the same moment."""
        renderer, still = mujoco.Renderer(self._twin.model, *self._settings.image_size), mujoco.MjData(self._twin.model)
        with contextlib.suppress(OSError):
            while True:
                with self._turn:
                    mujoco.mj_copyData(still, self._twin.model, self._twin.data)
                    head = np.array([monotonic(), *to_dataset_units(self._twin.joints)])
                self._send(pipe, PICTURES + head.tobytes() + b"".join(_draw(renderer, still, camera) for camera in CAMERAS))
                time.sleep(max(0.0, head[0] + 1 / self._settings.camera_fps - monotonic()))

    def _send(self, pipe: Connection, message: bytes) -> None:
        with self._sending:
            pipe.send_bytes(message)


def _draw(renderer: mujoco.Renderer, still: mujoco.MjData, camera: str) -> bytes:
    renderer.update_scene(still, camera)
    picture: NDArray[np.uint8] = renderer.render()
    return picture.tobytes()
