"""The near end of the link: what a screen or a script does with a board. Stop and the heartbeat have connections of their own, so that
no picture and no upload is in their way.

Nothing here moves the arm by itself, and nothing resumes: after a link was lost there is a new lease to take and a reset to ask for.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

from vla_demo.board import link_pb2 as link
from vla_demo.board import rpc
from vla_demo.board.episode_calls import EpisodeCalls
from vla_demo.board.handshake import PROTOCOL
from vla_demo.board.lease import LeaseOver
from vla_demo.board.packages import packed
from vla_demo.board.tokens import check_certificate, is_loopback, split_address
from vla_demo.board.view import BoardPackage, LinkView, RobotPictures, RobotView, packages, robot_facts, robot_pictures, robot_view
from vla_demo.core.errors import BoardError, InvalidInput

__all__ = ["BoardClient"]

logger = logging.getLogger(__name__)

QUICK, LOADING = 2.0, 110.0  # s: deadlines of calls that answer at once, and of those that read or load a package
BEAT_DEADLINE = 0.5
VALID_FOR = 0.5  # s that a command may be on its way
PART_VALID_FOR = 4.0  # s for a part of a package over a slow link
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # two channels to one address must not share a connection
    ("grpc.max_receive_message_length", rpc.MOST_BYTES_OUT),
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.client_idle_timeout_ms", 2**31 - 1),  # a Stop that is never pressed stays connected all the same
)


class BoardClient:
    """`with BoardClient("127.0.0.1:7870", token) as board:`. Shakes hands at once. All raise `BoardError`.

    `expected` is the robot it was prepared for (as an earlier `client.hello.robot`); another one is refused. `stop_port` is where Stop is
    heard on this side of a tunnel, when it is not where the board says; `monotonic` this machine's clock, in s, of any origin.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        certificate: bytes | None = None,
        expected: link.Robot | None = None,
        stop_port: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        host, port = split_address(address)
        if token and certificate is None and not is_loopback(host):
            raise InvalidInput(f"the token would cross the network in the clear; give the certificate of {host}, or use an SSH tunnel")
        if certificate is not None:
            check_certificate(certificate)
        self._token, self._certificate, self._monotonic = token, certificate, monotonic
        self._channels = [self._channel(host, port), self._channel(host, port)]
        self._calls = dict(rpc.callers("Board", self._channels[0], token))
        self._calls |= rpc.callers("Episodes", self._channels[0], token)
        self._calls["Heartbeat"] = rpc.callers("Board", self._channels[1], token)["Heartbeat"]
        self.episodes = EpisodeCalls(self._calls, self._command)
        self._lease: Any = None
        self._sequences = dict.fromkeys(("heartbeat", "command", "upload"), 0)
        self._turns = {lane: threading.Lock() for lane in self._sequences}
        self._clocks: deque[tuple[float, float]] = deque(maxlen=8)  # round trip, the board's clock minus this one; s
        self._beating: threading.Event | None = None
        self.lost: str | None = None  # why the lease is gone, once it is
        self._seen_at: float | None = None  # when the newest pictures were taken, on this machine's clock
        try:
            self.hello: link.HelloReply = self._call("Hello", link.HelloRequest(protocol=PROTOCOL, expected=expected))
            self.facts = robot_facts(self.hello, address)
            self._channels.append(self._channel(host, stop_port or self.hello.stop_port))
            for channel, what in zip(self._channels[1:], ("the heartbeat", "Stop"), strict=True):
                _connect(channel, what)
            self._stop = rpc.callers("StopButton", self._channels[2], token)["Stop"]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "BoardClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def has_lease(self) -> bool:
        """Whether it was taken here and has not been lost since."""
        return self._lease is not None and self.lost is None

    # --- anybody's -------------------------------------------------------------------------------------------------------

    def stop(self, who: str = "a viewer") -> None:
        """The software stop. It is not an emergency stop: it needs the board's program and the network."""
        self._stop(link.StopRequest(who=who), QUICK)

    def watch(self, after: int = 0) -> RobotView:
        """The state, the counts, and the ticks since tick number `after`."""
        news = self._calls["Watch"](link.WatchRequest(after=after), QUICK)
        age = None if self._seen_at is None else self._monotonic() - self._seen_at
        return robot_view(news, LinkView(self.has_lease, self.lost, min(self._clocks)[0], age))

    def look(self, max_width: int = 320, after: float = 0.0) -> RobotPictures | None:
        """The newest pictures; None when none are newer than `after`, on the board's clock."""
        found = self._calls["Look"](link.LookRequest(max_width=max_width, after=after), QUICK)
        if found.pictures:
            self._seen_at = self._monotonic() - (found.now - found.captured_at)
        return robot_pictures(found)

    def packages(self) -> tuple[BoardPackage, ...]:
        """What the board keeps."""
        return packages(self._calls["Packages"](link.Nothing(), QUICK))

    # --- the lease -------------------------------------------------------------------------------------------------------

    def acquire(self, holder: str, takeover: bool = False) -> None:
        """Take the lease, and keep it by a heartbeat until `release` or `close`."""
        self._end_beating()
        request = link.AcquireRequest(holder=holder, takeover=takeover, boot=self.hello.boot)
        self._lease = self._calls["Acquire"](request, QUICK)
        self._sequences, self.lost = dict.fromkeys(self._sequences, 0), None
        self._beating = threading.Event()
        threading.Thread(target=self._beat, args=(self._beating, self._lease.heartbeat), name="heartbeat", daemon=True).start()

    def release(self) -> None:
        self._command("Release", lambda stamp: stamp)
        self._end_beating()
        self._lease = None

    # --- the holder's ----------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Make the arm ready; it does not move."""
        self._command("Reset", lambda stamp: stamp)

    def choose(self, package: str, variant: str = "") -> None:
        """Load a policy while the arm stands; returns when it is there."""
        self._command("Choose", lambda stamp: link.ChooseRequest(stamp=stamp, package=package, variant=variant), LOADING)

    def start(self, mode: str = "async", threshold: float = 0.5, **more: Any) -> None:
        """The arm moves from here on. `more`: as in `StartRequest`."""
        self._command("Start", lambda stamp: link.StartRequest(stamp=stamp, mode=mode, threshold=threshold, **more))

    def pause(self) -> None:
        """End the task; the arm comes to rest and stays ready."""
        self._command("Pause", lambda stamp: stamp)

    def rearrange(self, start: str) -> None:
        """Set the scene of a simulated robot."""
        self._command("Rearrange", lambda stamp: link.RearrangeRequest(stamp=stamp, start=start), LOADING)

    def push(self, folder: Path) -> Iterator[tuple[int, int] | str]:
        """Send a package: (bytes there, bytes in all) as it goes, then its id. Goes on where an earlier attempt broke off."""
        files = packed(folder)
        offered = [link.PackageFile(name=f.name, size=f.size, sha256=f.sha256) for f in files]
        reply = self._command("Offer", lambda stamp: link.OfferRequest(stamp=stamp, files=offered), QUICK, "upload")
        there, total = list(reply.have), sum(f.size for f in files)
        for place, file in enumerate(files):
            with (folder / file.name).open("rb") as stream:
                while there[place] < file.size:
                    yield sum(there), total
                    stream.seek(there[place])
                    there[place] = self._put(reply.id, place, there[place], stream.read(rpc.PART_BYTES))
        self._command("Keep", lambda stamp: link.KeepRequest(stamp=stamp, id=reply.id), LOADING, "upload")
        yield total, total
        yield str(reply.id)

    def remove(self, package: str) -> None:
        """Make room on the board; not while a task runs."""
        self._command("Remove", lambda stamp: link.RemoveRequest(stamp=stamp, package=package), LOADING)

    def close(self) -> None:
        """Without a heartbeat the board stops the arm within a second, unless the lease was given back before."""
        self._end_beating()
        for channel in self._channels:
            channel.close()

    def _put(self, name: str, place: int, offset: int, data: bytes) -> int:
        def request(stamp: Any) -> Any:
            return link.PutRequest(stamp=stamp, id=name, file=place, offset=offset, data=data)

        have = int(self._command("Put", request, PART_VALID_FOR, "upload").have)
        if have != offset + len(data):
            raise BoardError(f"the board has {have} bytes of a file where {offset + len(data)} were sent; send the package again")
        return have

    def _command(self, call: str, request: Callable[[Any], Any], deadline: float = QUICK, lane: str = "command") -> Any:
        """One at a time in each lane, so that they arrive in order."""
        with self._turns[lane]:
            valid = PART_VALID_FOR if lane == "upload" else VALID_FOR
            return self._calls[call](request(self._stamp(lane, valid)), deadline)

    def _stamp(self, lane: str, valid: float) -> Any:
        if self._lease is None:
            raise BoardError("commands need the lease; acquire it first")
        self._sequences[lane] += 1
        expires_at = self._monotonic() + min(self._clocks)[1] + valid
        return link.Stamp(epoch=self._lease.epoch, key=self._lease.key, sequence=self._sequences[lane], expires_at=expires_at)

    def _beat(self, ended: threading.Event, every: float) -> None:
        due = time.monotonic()
        while not ended.is_set():
            try:
                self._call("Heartbeat", self._stamp("heartbeat", VALID_FOR), BEAT_DEADLINE)
            except LeaseOver as error:
                if not ended.is_set():
                    self.lost = str(error)
                return
            except BoardError:  # the next one may get through, and the board counts for itself
                logger.debug("a heartbeat failed", exc_info=True)
            due = max(due + every, time.monotonic())
            ended.wait(due - time.monotonic())

    def _call(self, call: str, request: Any, deadline: float = QUICK) -> Any:
        """A call whose answer carries the board's clock: the quickest of the last few tells how the two clocks differ."""
        asked = self._monotonic()
        reply = self._calls[call](request, deadline)
        answered = self._monotonic()
        self._clocks.append((answered - asked, reply.now - (asked + answered) / 2))
        return reply

    def _end_beating(self) -> None:
        if self._beating is not None:
            self._beating.set()

    def _channel(self, host: str, port: int) -> Any:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if self._certificate is None:
            return grpc.insecure_channel(target, options=_OPTIONS)
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(self._certificate), options=_OPTIONS)


def _connect(channel: Any, what: str) -> None:
    """Now, so that nobody waits for it in the moment it is needed."""
    try:
        grpc.channel_ready_future(channel).result(QUICK)
    except grpc.FutureTimeoutError as error:
        raise BoardError(f"the board answers, but its connection for {what} cannot be made; is its port open?") from error
