"""The queue of planned actions, with LeRobot's semantics: a chunk is stamped by its observation, what is stale when it arrives is dropped,
and where it overlaps what is queued the two are aggregated.

Stamps count executed actions, as LeRobot's timesteps do: while the arm holds still for want of an action, nothing goes stale.
It knows no clock and no policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput

__all__ = ["AGGREGATES", "ActionQueue", "Merged"]

Action = NDArray[np.float32]  # (J,) dataset units


def _blend(old: float, new: float) -> Callable[[Action, Action], Action]:
    return lambda queued, arrived: np.float32(old) * queued + np.float32(new) * arrived


AGGREGATES: Mapping[str, Callable[[Action, Action], Action]] = {
    "weighted_average": _blend(0.3, 0.7),
    "latest_only": lambda queued, arrived: arrived,
    "average": _blend(0.5, 0.5),
    "conservative": _blend(0.7, 0.3),
}
"""LeRobot's aggregate functions of the queued and the arrived action for the same step (async_inference/configs.py)."""


@dataclass(frozen=True, slots=True)
class QueuedAction:
    """One action waiting for its turn."""

    action: Action  # (J,) dataset units
    observed_at: float  # s, when the newest observation behind it was captured
    chunk: int  # which chunk it came with last, from 0


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a chunk's actions."""

    stale: int  # their step had been executed already
    overlapping: int  # aggregated with a queued one
    fresh: int  # new


class ActionQueue:
    """Steps ahead of the arm, without gaps. Raises `InvalidInput` for an unknown aggregate function."""

    def __init__(self, aggregate: str = "weighted_average") -> None:
        if aggregate not in AGGREGATES:
            raise InvalidInput(f"unknown aggregate function {aggregate!r}; valid: {', '.join(AGGREGATES)}")
        self._aggregate = AGGREGATES[aggregate]
        self._waiting: list[QueuedAction] = []
        self.executed = 0  # actions taken so far; the stamp of an observation made now
        self.chunks = 0  # merged so far

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> QueuedAction | None:
        """The action for this tick; None when there is none, and then no step goes by."""
        if not self._waiting:
            return None
        self.executed += 1
        return self._waiting.pop(0)

    def remainder(self) -> NDArray[np.float32] | None:
        """(n, J) the actions still waiting, in order; None when there are none."""
        return np.stack([queued.action for queued in self._waiting]) if self._waiting else None

    def merge(self, actions: NDArray[np.float32], stamp: int, observed_at: float) -> Merged:
        """Take in a chunk (T, J) whose first action is for step `stamp`. A chunk that is stale altogether changes nothing."""
        stale = min(self.executed - stamp, len(actions))
        new = [QueuedAction(action, observed_at, self.chunks) for action in actions[stale:]]
        overlapping = min(len(new), len(self._waiting))
        for place in range(overlapping):
            blended = self._aggregate(self._waiting[place].action, new[place].action)
            self._waiting[place] = QueuedAction(blended, observed_at, self.chunks)
        self._waiting += new[overlapping:]
        self.chunks += 1
        return Merged(stale, overlapping, len(new) - overlapping)

    def clear(self) -> None:
        """Forget what waits, when the task changes or the robot was stopped."""
        self._waiting.clear()
