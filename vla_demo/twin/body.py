"""The twin as what a control loop drives: draws only when somebody looks, and judges after every tick."""

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import Observation
from vla_demo.twin.scene import from_dataset_units
from vla_demo.twin.starts import Start, prepare
from vla_demo.twin.world import Measurements, TeaBagTwin

__all__ = ["TwinBody"]


class TwinBody:
    """One control tick of the twin for every `act` or `hold`; begins at `start`."""

    def __init__(self, twin: TeaBagTwin, start: Start) -> None:
        prepare(twin, start)
        self._twin, self._began = twin, twin.seconds

    def observe(self) -> Observation:
        """What the cameras show now; `captured_at` is in seconds since the start."""
        seen = self._twin.observe()
        return Observation(seen.images, seen.joints, seen.instruction, seen.captured_at - self._began)

    def act(self, action: NDArray[np.float32]) -> None:
        self._twin.advance(from_dataset_units(action))

    def hold(self) -> None:
        self._twin.hold()

    def measure(self) -> Measurements:
        return self._twin.measure()
