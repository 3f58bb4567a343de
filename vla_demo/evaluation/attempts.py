"""What happened to the thing that should be moved, told tick by tick: grasps, drops, success. It knows no world and no policy."""

from dataclasses import dataclass

__all__ = ["AttemptTally", "Attempts"]

_FIRM = 3  # ticks in a row that make a touch a grasp, and a gap the end of one


@dataclass(frozen=True, slots=True)
class Attempts:
    """The story of one rollout."""

    success: bool
    ticks: int  # until success, or until time was up
    grasps: int  # times it was held for 3 ticks or more
    drops: int  # grasps that ended neither in the goal nor with the rollout

    @property
    def retries(self) -> int:
        """Grasps after the first."""
        return max(0, self.grasps - 1)


class AttemptTally:
    """Told once a tick."""

    def __init__(self) -> None:
        self._ticks = self._grasps = self._drops = self._same = 0
        self._holding = self._success = False

    def add(self, held: bool, in_goal: bool, success: bool) -> None:
        """`held`: both fingers touch it; `in_goal`: it is where it should be, at rest or not."""
        self._ticks += 1
        self._success = self._success or success
        self._same = self._same + 1 if held != self._holding else 0
        if self._same < _FIRM:
            return
        self._holding, self._same = held, 0
        if held:
            self._grasps += 1
        elif not in_goal:
            self._drops += 1

    def attempts(self) -> Attempts:
        return Attempts(self._success, self._ticks, self._grasps, self._drops)
