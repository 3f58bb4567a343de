"""Clocks of the control loop: the machine's own, and one that a simulation moves."""

import time

__all__ = ["ManualClock", "RealClock"]


class RealClock:
    """Monotonic seconds of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Returns at once when the moment has passed."""
        remaining = moment - self.now()
        if remaining > 0:
            time.sleep(remaining)


class ManualClock:
    """Stands still until it is told to go on; sleeping takes no time at all."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep_until(self, moment: float) -> None:
        self._now = max(self._now, moment)
