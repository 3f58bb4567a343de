"""The twin as a robot that stands on a desk: its own process and its own time, which no program that drives it can stop or slow down.

As with real servos a goal is held until the next one comes, also when whoever sent it has died. Every sixtieth of a second the desk may
write down what the arm did.
"""

import importlib.util
import json
import multiprocessing
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.observation import Observation
from vla_demo.twin.desk_messages import ANSWER, GOAL, JOINTS, NUMBER, QUIT, REARRANGE, DeskSettings

__all__ = ["LiveTwin"]

START_SECONDS, REARRANGE_SECONDS = 60.0, 20.0  # a busy machine loads MuJoCo slowly


class LiveTwin:
    """The near side: newest wins, nothing waits. Close it. Raises `VlaDemoError` when the desk does not come up, `MissingPiece`."""

    def __init__(self, settings: DeskSettings | None = None) -> None:
        if importlib.util.find_spec("mujoco") is None:
            raise MissingPiece(f"the twin needs MuJoCo: {install('twin')}")
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_run_desk, args=(far, settings or DeskSettings()), name="twin", daemon=False)
        self._process.start()
        far.close()
        self._change = threading.Condition()
        self._joints: tuple[float, NDArray[np.float32]] | None = None
        self._seen: Observation | None = None
        self._answers: list[str] = []
        self._gone = False
        try:
            self.facts: Mapping[str, Any] = self._read_facts()
            threading.Thread(target=self._read, name="twin reader", daemon=True).start()
            self._wait(lambda: self._seen is not None and self._joints is not None, START_SECONDS)
        except BaseException:
            self.close()
            raise

    def observe(self) -> Observation:
        """The newest pictures, and the joints when they were taken. Raises `VlaDemoError` when the desk has gone."""
        with self._change:
            self._check()
            assert self._seen is not None
            return self._seen

    def measure(self) -> tuple[float, NDArray[np.float32]]:
        """When (s, monotonic) and where the joints (J,) were last measured, dataset units."""
        with self._change:
            self._check()
            assert self._joints is not None
            return self._joints

    def send(self, goal: NDArray[np.float32]) -> None:
        """Head for `goal` (J,) until the next one comes. Raises `VlaDemoError` when the desk has gone."""
        self._send(GOAL + np.asarray(goal, NUMBER).tobytes())

    def rearrange(self, start: str) -> None:
        """Put arm, bag and mug where a start such as `test:3` has them. Raises `InvalidInput` for a start that is not there."""
        with self._change:
            self._answers.clear()
        self._send(REARRANGE + start.encode())
        self._wait(lambda: bool(self._answers), REARRANGE_SECONDS)
        if self._answers[0]:
            raise InvalidInput(self._answers[0])

    def close(self) -> None:
        """The desk ends with the program that opened it."""
        self._send(QUIT, quietly=True)
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
        self._pipe.close()

    def _read_facts(self) -> Mapping[str, Any]:
        if not self._pipe.poll(START_SECONDS):
            raise VlaDemoError(f"the twin did not come up within {START_SECONDS:g} s")
        try:
            facts: Mapping[str, Any] = json.loads(self._pipe.recv_bytes()[1:])
        except EOFError:
            raise VlaDemoError("the twin ended before it came up; what it said is above") from None
        if "error" in facts:
            raise InvalidInput(facts["error"])
        return facts

    def _send(self, message: bytes, quietly: bool = False) -> None:
        try:
            self._pipe.send_bytes(message)
        except OSError:
            if not quietly:
                raise VlaDemoError("the twin has gone") from None

    def _read(self) -> None:
        while True:
            try:
                message = self._pipe.recv_bytes()
            except (EOFError, OSError):
                break
            with self._change:
                self._receive(message[:1], message[1:])
                self._change.notify_all()
        with self._change:
            self._gone = True
            self._change.notify_all()

    def _receive(self, kind: bytes, body: bytes) -> None:
        if kind == ANSWER:
            self._answers.append(body.decode())
            return
        count = len(self.facts["joints"])
        numbers = np.frombuffer(body[: (1 + count) * 8], NUMBER)
        at, joints = float(numbers[0]), numbers[1:].astype(np.float32)
        if kind == JOINTS:
            self._joints = (at, joints)
            return
        height, width = self.facts["image_size"]
        pictures = np.frombuffer(body[(1 + count) * 8 :], np.uint8).reshape(-1, height, width, 3)
        images = dict(zip(self.facts["cameras"], pictures, strict=True))
        self._seen = Observation(images, joints, self.facts["instruction"], at)

    def _wait(self, condition: Any, seconds: float) -> None:
        with self._change:
            if not self._change.wait_for(lambda: self._gone or condition(), seconds):
                raise VlaDemoError(f"the twin did not answer within {seconds:g} s")
            self._check()

    def _check(self) -> None:
        if self._gone:
            raise VlaDemoError("the twin has gone")


def _run_desk(pipe: Connection, settings: DeskSettings) -> None:
    """In the desk's own process; whoever drives the twin loads no MuJoCo."""
    from vla_demo.twin.desk import run_desk

    run_desk(pipe, settings)
