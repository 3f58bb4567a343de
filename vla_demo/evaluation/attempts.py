"""What happened to the thing that should be moved, tick by tick: grasps, drops, success. It knows no world and no policy."""

from dataclasses import dataclass

__all__ = ["AttemptTally", "Attempts"]

_FIRM = 3  # ticks in a row that make a touch a grasp, and a gap the end of one


@dataclass(frozen=True, slots=True)
class Attempts:
    """The story of one rollout."""

    success: bool
    ticks: int  # until success, or until time was up
    grasps: int  # times it was held for 3 ticks or more
    drops: int  # grasps after which it lay somewhere else: it was grasped again, or never came to the goal

    @property
    def retries(self) -> int:
        """Grasps after the first."""
        return max(0, self.grasps - 1)


class AttemptTally:
    """Adds up what is seen, once a tick."""

    def __init__(self) -> None:
        self._ticks = self._grasps = self._same = 0
        self._holding = self._in_goal = self._success = False

    def add(self, held: bool, in_goal: bool, success: bool) -> None:
        """`held`: both fingers touch it; `in_goal`: it is where it should be, at rest or not."""
        self._ticks += 1
        self._success, self._in_goal = self._success or success, in_goal
        self._same = self._same + 1 if held != self._holding else 0
        if self._same < _FIRM:
            return
        self._holding, self._same = held, 0
        self._grasps += held

    def attempts(self) -> Attempts:
        """Of the grasps, the last is no drop if the thing is still in hand or came to the goal, however it fell there."""
        ended_well = self._holding or self._in_goal or self._success
        return Attempts(self._success, self._ticks, self._grasps, max(0, self._grasps - ended_well))
