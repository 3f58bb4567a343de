"""The far side of `live`: the process in which the desk stands. One thread moves the world in real time, another draws and reports."""

import threading
import time
from multiprocessing.connection import Connection

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.live import DeskSettings, introduce, now
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
        introduce(pipe, {"error": str(error)})
        return
    introduce(
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
    threading.Thread(target=desk.report, args=(pipe,), name="cameras", daemon=True).start()
    desk.live(pipe)


def _named(text: str) -> Start:
    """`test:3`: the fourth start of a split. Raises `InvalidInput`."""
    split, _, place = text.partition(":")
    starts = starts_named(split)
    if not place.isdecimal() or int(place) >= len(starts):
        raise InvalidInput(f"there is no start {text!r}; of {split} there are {split}:0 to {split}:{len(starts) - 1}")
    return starts[int(place)]


class _Desk:
    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._turn = threading.Lock()  # between moving the world and taking its picture
        self._twin = TeaBagTwin(settings.image_size)
        prepare(self._twin, _named(settings.start))
        self._goal = np.array(self._twin.data.ctrl)
        self._log = open(settings.log, "ab") if settings.log else None  # noqa: SIM115  open as long as the process lives

    def live(self, pipe: Connection) -> None:
        due, left = now(), None
        while left is None or now() < left + self._settings.outlive:
            if left is None:
                try:
                    if not self._heed(pipe):
                        return
                except (EOFError, OSError):
                    left = now()  # whoever drove it has gone; the servos hold
            with self._turn:
                self._twin.advance(self._goal, _SUBSTEPS)
            self._write_down()
            due = max(due + 1 / RATE, now() - _MOST_BEHIND)
            time.sleep(max(0.0, due - now()))

    def _heed(self, pipe: Connection) -> bool:
        """All that was said by now; False to quit."""
        while pipe.poll():
            message = pipe.recv_bytes()
            kind, body = message[:1], message[1:]
            if kind == b"Q":
                return False
            if kind == b"G":
                self._goal = from_dataset_units(np.frombuffer(body).astype(np.float32))
            elif kind == b"R":
                pipe.send_bytes(b"A" + self._rearranged(body.decode()).encode())
        return True

    def _rearranged(self, start: str) -> str:
        try:
            with self._turn:
                prepare(self._twin, _named(start))
                self._goal = np.array(self._twin.data.ctrl)
        except InvalidInput as error:
            return str(error)
        return ""

    def _write_down(self) -> None:
        if self._log is not None:
            row = [now(), *to_dataset_units(self._twin.joints), *to_dataset_units(self._goal.copy())]
            self._log.write(np.array(row).tobytes())
            self._log.flush()

    def report(self, pipe: Connection) -> None:
        """Joints at every step of the world, pictures at the cameras' pace. It may block when nobody reads; the world goes on."""
        renderer = mujoco.Renderer(self._twin.model, *self._settings.image_size)
        still, next_picture = mujoco.MjData(self._twin.model), now()
        try:
            while True:
                with self._turn:
                    mujoco.mj_copyData(still, self._twin.model, self._twin.data)
                    joints, taken_at = to_dataset_units(self._twin.joints), now()
                head = np.array([taken_at, *joints]).tobytes()
                pipe.send_bytes(b"J" + head)
                if taken_at >= next_picture:
                    next_picture = max(next_picture + 1 / self._settings.camera_fps, taken_at)
                    pipe.send_bytes(b"P" + head + b"".join(_drawn(renderer, still, camera) for camera in CAMERAS))
                time.sleep(1 / RATE)
        except OSError:
            return


def _drawn(renderer: mujoco.Renderer, still: mujoco.MjData, camera: str) -> bytes:
    renderer.update_scene(still, camera)
    picture: NDArray[np.uint8] = renderer.render()
    return picture.tobytes()
