"""A robot as a screen sees it: what its board tells, and what may be asked of it. Over `BoardClient`, in plain data; knows no widgets.

A link must be asked for news every now and then: when nobody does for `SILENCE` seconds (`PATIENCE` while the arm is stopped), whoever
looked has gone, and the link is closed. If it held the lease, the arm is stopped. So a closed tab, a lost network and a stuck browser all
end with an arm that stands.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from vla_demo.board.view import RobotPictures, RobotView
from vla_demo.core.errors import BoardError, ConnectionClosed, MissingPiece
from vla_demo.core.extras import install
from vla_demo.core.formats import in_megabytes, megabytes
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.episodes import BoardEpisodes
from vla_demo.workbench.robot.latencies import BoardTimes
from vla_demo.workbench.robot.packages import packed_for_board

if TYPE_CHECKING:
    from vla_demo.board.client import BoardClient

__all__ = ["PATIENCE", "SILENCE", "RobotLink", "connect_robot"]

SILENCE = 3.0  # s without a question; a browser lets a tab in the background ask once a second, after some minutes only once a minute
PATIENCE = 20.0  # s, while nothing can move: a page behind another one on a busy machine
_EVERY = 0.25  # s


def connect_robot(address: str, token: str, holder: str, certificate: str = "") -> "RobotLink":
    """Shake hands with a board. Raises `BoardError`, `InvalidInput`, and `MissingPiece` without gRPC."""
    try:
        from vla_demo.board.client import BoardClient
    except ImportError as error:
        raise MissingPiece(f"the link to a board needs gRPC: {install('board')}") from error
    try:
        client = BoardClient(address, token or None, certificate=certificate.encode() or None)
    except BoardError as problem:
        raise BoardError(f"{address}: {problem}") from problem
    return RobotLink(client, holder)


class RobotLink:
    """One visitor's connection to one board. Its verbs raise `BoardError`, in words; after `close` all of them do."""

    def __init__(self, client: "BoardClient", holder: str, silence: float = SILENCE) -> None:
        self._client, self._holder, self._silence = client, holder, silence
        self._asked_at = time.monotonic()
        self._stopped = False  # as far as is known
        self._closed = threading.Event()
        self._why = ""
        self._after: list[Callable[[], None]] = []
        self.facts = client.facts
        self.episodes = BoardEpisodes(client.episodes, self.facts.name, self._check)
        self._times = BoardTimes(self.facts)
        threading.Thread(target=self._mind, name="who looks", daemon=True).start()

    @property
    def closed(self) -> str:
        """Why this link is closed; empty while it is open."""
        return self._why

    def on_close(self, then: Callable[[], None]) -> None:
        """`then` is called once, when the link has been closed by whomever."""
        self._after.append(then)

    # --- anybody's -------------------------------------------------------------------------------------------------------

    def watch(self) -> RobotView:
        """Also says that somebody is there."""
        self._check()
        self._asked_at = time.monotonic()
        view = self._client.watch()
        self._times.follow(view)
        self._stopped = view.state in ("stopped", "fault") and not view.moving
        return view

    def look(self, after: float) -> RobotPictures | None:
        """The newest pictures, at most 320 wide; None when they are not newer than `after`."""
        self._check()
        return self._client.look(after=after)

    def stop(self) -> None:
        """The board's own Stop, on its own channel; needs no lease. Not an emergency stop."""
        self._check()
        self._client.stop(self._holder)

    # --- the lease -------------------------------------------------------------------------------------------------------

    def take(self, takeover: bool = False) -> None:
        self._check()
        self._client.acquire(self._holder, takeover)

    # --- the holder's ----------------------------------------------------------------------------------------------------

    def load(self, package: PolicyPackage, variant: Variant) -> Iterator[Preparing]:
        """Make the variant's graphs, send what the board has not got, and let it load them; the arm stands meanwhile.

        Raises `QuantizationError`, `PackageError` as well.
        """
        self._check()
        yield from prepare_variant(package, variant)
        yield Preparing("Packing")
        self._take_again()
        name, said = "", 0.0
        for step in self._client.push(packed_for_board(package, variant).folder):
            if isinstance(step, str):
                name = step
            elif time.monotonic() - said > _EVERY:
                said = time.monotonic()
                yield Preparing(f"Sending {in_megabytes(step[0], 0)} of {megabytes(step[1], 0)}", step[0] / max(step[1], 1))
        yield Preparing("The board loads the policy and plans once")
        self._client.choose(name, str(variant))
        self._take_again()
        self._times.loaded(package.spec, variant)

    def _take_again(self) -> None:
        """Graphs being made or loaded can make a heartbeat late. The arm stands: who had the lease may have it again."""
        if self._client.lost is not None and not self._client.watch().holder:
            self._client.acquire(self._holder)

    def reset(self) -> None:
        """Make the arm ready; it does not move."""
        self._check()
        self._client.reset()

    def start(self, mode: str = "async", instruction: str = "") -> None:
        """The arm moves from here on. An empty instruction is the robot's own."""
        self._check()
        self._client.start(mode, instruction=instruction)

    def pause(self) -> None:
        """End the task; the arm comes to rest and stays ready."""
        self._check()
        self._client.pause()

    def rearrange(self, start: str) -> None:
        """Set the scene of a simulated robot."""
        self._check()
        self._client.rearrange(start)

    def close(self, why: str = "this connection was closed") -> None:
        """Stops the arm if the lease is held here."""
        if self._closed.is_set():
            return
        self._why = why
        self._closed.set()
        if self._client.has_lease:
            with contextlib.suppress(BoardError):  # without a heartbeat the board stops by itself
                self._client.stop(f"{self._holder} ({why})")
        self._client.close()
        for then in self._after:
            then()
        self._times.ended()

    def _check(self) -> None:
        if self._why:
            raise ConnectionClosed(f"{self._why}; connect again")

    def _mind(self) -> None:
        while not self._closed.wait(_EVERY):
            allowed = max(self._silence, PATIENCE) if self._stopped else self._silence
            if time.monotonic() - self._asked_at > allowed:
                self.close(f"nothing was heard of the page for {allowed:g} s, so the connection was closed")
