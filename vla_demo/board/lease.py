"""Who may command the arm: one holder at a time, by a lease that its heartbeats keep alive. Knows no network; the clock is handed in.

After Spot's leases: an epoch that only grows, sequence numbers, expiry in the board's own time. What is late, repeated or out of order is
refused, so that nothing which waited in a broken connection takes effect when it is mended.
"""

import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

from vla_demo.core.errors import BoardError
from vla_demo.core.observation import Clock

__all__ = ["HEARTBEAT", "LOST_AFTER", "MOST_AHEAD", "Grant", "LeaseDesk", "LeaseOver", "LeaseRefused", "Stamped", "stamped"]

HEARTBEAT = 0.25  # s between heartbeats
LOST_AFTER = 1.0  # s without one
MOST_AHEAD = 5.0  # s that an expiry may lie in the future: whoever says more has the wrong time
MOST_NAME = 60  # characters


class LeaseRefused(BoardError):
    """The command is not the holder's, or not of this moment."""

    code = "lease-refused"


class LeaseOver(LeaseRefused):
    """There is no such lease any more; only a new one helps."""

    code = "lease-over"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder, and nobody else, is told."""

    epoch: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Stamped:
    """What every command carries."""

    epoch: int
    key: bytes
    sequence: int
    expires_at: float  # s, this board's clock


def stamped(stamp: Any) -> Stamped:
    """Of a `link.Stamp`."""
    return Stamped(stamp.epoch, stamp.key, stamp.sequence, stamp.expires_at)


@dataclass(slots=True)
class _Held:
    holder: str
    grant: Grant
    beat_at: float
    sequences: dict[str, int] = field(default_factory=dict)


class LeaseDesk:
    """Grants, admits and loses. May be called from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._epoch = 0
        self._held: _Held | None = None

    @property
    def epoch(self) -> int:
        """Of the newest lease there was."""
        return self._epoch

    def holder(self) -> str | None:
        """Who may command; None when nobody may, or its heartbeat has failed."""
        with self._turn:
            held = self._current()
            return None if held is None else held.holder

    def heartbeat_age(self) -> float | None:
        """s since the holder was last heard of; None without a holder."""
        with self._turn:
            held = self._current()
            return None if held is None else self._clock.now() - held.beat_at

    def acquire(self, holder: str, takeover: bool = False) -> Grant:
        """A new lease. Raises `LeaseRefused` when somebody else holds one and `takeover` was not said."""
        name = "".join(c for c in holder if c.isprintable())[:MOST_NAME].strip()
        if not name:
            raise LeaseRefused("a lease needs the name of who holds it")
        with self._turn:
            held = self._current()
            if held is not None and not takeover:
                raise LeaseRefused(f"{held.holder} commands this board; watch, or take over")
            self._epoch += 1
            self._held = _Held(name, Grant(self._epoch, secrets.token_bytes(16)), self._clock.now())
            return self._held.grant

    def admit(self, stamp: Stamped, lane: str = "command") -> None:
        """Raise `LeaseRefused` unless this is the holder's next command, and still of this moment. A heartbeat renews the lease."""
        with self._turn:
            held, now = self._current(), self._clock.now()
            if held is None or stamp.epoch != held.grant.epoch:
                raise LeaseOver("this lease is over; take a new one")
            if not hmac.compare_digest(stamp.key, held.grant.key):
                raise LeaseRefused("this is not the key of the lease")
            if not now < stamp.expires_at <= now + MOST_AHEAD:  # NaN is neither
                raise LeaseRefused("the command came too late" if stamp.expires_at <= now else "the command is not of this board's time")
            if stamp.sequence <= held.sequences.get(lane, 0):
                raise LeaseRefused("the command came twice or out of order")
            held.sequences[lane] = stamp.sequence
            if lane == "heartbeat":
                held.beat_at = now

    def release(self, epoch: int) -> None:
        """Give it back; nothing happens when it is over already."""
        with self._turn:
            if self._held is not None and self._held.grant.epoch == epoch:
                self._held = None

    def _current(self) -> _Held | None:
        """A lease that was lost does not come back, even when its heartbeat does."""
        if self._held is not None and self._clock.now() - self._held.beat_at > LOST_AFTER:
            self._held = None
        return self._held
