"""The twin as what a control loop drives: draws only when somebody looks."""

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Observation
from vla_demo.twin.scene import from_dataset_units
from vla_demo.twin.starts import Start, prepare
from vla_demo.twin.world import Measurements, TeaBagTwin

__all__ = ["TwinBody"]

_SUBSTEPS_A_SECOND = 600


class TwinBody:
    """One control tick of the twin, 1 / `fps` s, for every `act` or `hold`."""

    def __init__(self, twin: TeaBagTwin, start: Start, fps: float = 30.0) -> None:
        self._substeps = round(_SUBSTEPS_A_SECOND / fps)
        if self._substeps < 1 or abs(self._substeps * fps - _SUBSTEPS_A_SECOND) > 1e-6:
            raise InvalidInput(f"the twin moves in steps of 1/{_SUBSTEPS_A_SECOND} s; {fps:g} fps does not fit, 10, 20, 30, 50 and 60 do")
        prepare(twin, start)
        self._twin, self._began = twin, twin.seconds

    def observe(self) -> Observation:
        """What the cameras show now; `captured_at` is in seconds since the start."""
        seen = self._twin.observe()
        return Observation(seen.images, seen.joints, seen.instruction, seen.captured_at - self._began)

    def act(self, action: NDArray[np.float32]) -> None:
        """One control period towards `action` (6,) in dataset units."""
        self._twin.advance(from_dataset_units(action), self._substeps)

    def hold(self) -> None:
        self._twin.hold(self._substeps)

    def measure(self) -> Measurements:
        return self._twin.measure()
