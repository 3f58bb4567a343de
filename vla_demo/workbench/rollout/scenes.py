"""The twin's desk for people to look at: which starts there are, what the cameras show there, and who films a rollout that goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.extras import install

if TYPE_CHECKING:
    from vla_demo.twin.world import TeaBagTwin

__all__ = ["MAIN_CAMERA", "CameraCrew", "Pictures", "StartCard", "scene", "start_cards"]

SHOWN_SIZE = (480, 640)  # (height, width)
MAIN_CAMERA = "left"
_SPLITS = ("test", "validation")  # the protocol's
_MOVED = 1e-4  # rad or m; less cannot be seen

Pictures = Mapping[str, NDArray[np.uint8]]  # camera -> (H, W, 3) RGB


@dataclass(frozen=True, slots=True)
class StartCard:
    """One start of the protocol, as a list shows it."""

    number: int  # of the start
    split: str
    cluster: int


def start_cards() -> Sequence[StartCard]:
    """The 20 test and 10 validation starts. Raises `MissingPiece` without MuJoCo."""
    try:
        from vla_demo.twin.protocol import protocol_starts
    except ImportError as error:
        raise MissingPiece(f"the twin needs MuJoCo: {install('twin')}") from error
    return [StartCard(start.number, split, start.cluster) for split in _SPLITS for start in protocol_starts(split)]


def scene(number: int) -> Pictures:
    """Camera -> (H, W, 3) RGB at a start of the protocol. Raises `InvalidInput`, and `MissingPiece` without MuJoCo."""
    if number not in {card.number for card in start_cards()}:
        raise InvalidInput(f"start {number} is none of the protocol's 20 test and 10 validation starts")
    from vla_demo.twin.protocol import starts_named
    from vla_demo.twin.starts import prepare
    from vla_demo.twin.world import TeaBagTwin

    twin = TeaBagTwin()
    try:
        prepare(twin, next(start for start in starts_named("all") if start.number == number))
        return {camera: twin.picture(camera, SHOWN_SIZE) for camera in twin.cameras}
    finally:
        twin.close()


class CameraCrew:
    """Which camera shows what when: the main one each time, the others by turns, and none while nothing moves."""

    def __init__(self, twin: "TeaBagTwin", sizes: Mapping[str, tuple[int, int]] | None = None) -> None:
        """`sizes`: camera -> (height, width) of its pictures, where it is not the size that the page shows."""
        self._twin, self._turn, self._sizes = twin, 0, sizes or {}
        self._others = [camera for camera in twin.cameras if camera != MAIN_CAMERA]
        self._owed: list[str] = list(twin.cameras)  # have not shown the desk as it is
        self._place = np.full_like(twin.data.qpos, np.inf)

    def shoot(self) -> Pictures:
        """Camera -> (H, W, 3) RGB of the cameras whose turn it is; none when nothing has moved."""
        place = np.array(self._twin.data.qpos)
        if np.abs(place - self._place).max() > _MOVED:
            self._place, self._owed = place, list(self._twin.cameras)
        self._turn += 1
        turn = [MAIN_CAMERA, self._others[self._turn % len(self._others)]]
        now = [camera for camera in turn if camera in self._owed]
        self._owed = [camera for camera in self._owed if camera not in now]
        return {camera: self._twin.picture(camera, self._sizes.get(camera, SHOWN_SIZE)) for camera in now}
