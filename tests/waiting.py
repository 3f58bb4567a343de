"""How a test lets time pass: it waits for a condition, or it says what the time is for. Nothing else in the tests sleeps."""

import time
from collections.abc import Callable

__all__ = ["look_on", "stall", "wait_until"]

LIMIT = 30.0  # s; only a failing test waits that long, and a busy machine may need it
_EVERY = 0.01  # s


def wait_until(condition: Callable[[], bool], limit: float = LIMIT, what: str = "what the test waits for") -> None:
    """Return as soon as `condition` holds; fail with `what` did not happen when it does not within `limit` seconds."""
    given_up = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < given_up, f"{what} did not happen within {limit:g} s"
        time.sleep(_EVERY)


def look_on(seconds: float) -> None:
    """Let the real clock run while something is recorded that is judged afterwards, or while nothing may happen.

    On a busy machine less happens in this time: assert that something did not happen, or wait for what must.
    """
    time.sleep(seconds)


def stall(seconds: float) -> None:
    """Hold the caller up for so long: a slow policy, a stuck process, a slow link. The delay is what the test is about."""
    time.sleep(seconds)
