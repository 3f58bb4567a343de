"""What a busy machine adds to a time, measured while the time was: how late it wakes a process that only sleeps."""

import select
import subprocess
import sys

__all__ = ["MOST", "Witness", "worst_lateness"]

HOPS = 3  # processes that hear of a command one after another: the client, the board, the twin
MOST = 1.0  # s that a bound may grow by; a machine later than that cannot judge it
NOTABLE = 0.02  # s
SLEEPER = f"""
import sys, time
while True:
    asked = time.monotonic()
    time.sleep(0.005)
    woke = time.monotonic()
    if woke - asked - 0.005 > {NOTABLE}:
        print(woke, woke - asked - 0.005, flush=True)
"""


class Witness:
    """A process that sleeps 5 ms again and again and says when it was woken late. None of our code runs in it. Close it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-S", "-E", "-c", SLEEPER], stdout=subprocess.PIPE, bufsize=0)
        self._late: list[tuple[float, float]] = []

    def allowance(self, since: float) -> float:
        """s that a command sent after `since` may have taken longer, because the machine let each process on its way wait."""
        assert self.process.stdout is not None and self.process.poll() is None
        while select.select([self.process.stdout], [], [], 0)[0]:
            woke, late = self.process.stdout.readline().split()
            self._late.append((float(woke), float(late)))
        return min(MOST, HOPS * worst_lateness(self._late, since))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def worst_lateness(late: list[tuple[float, float]], since: float) -> float:
    """s of the latest awakening after `since`, of pairs of when it was and how late; 0 for none."""
    return max((by for woke, by in late if woke > since), default=0.0)
