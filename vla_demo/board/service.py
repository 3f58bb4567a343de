"""What a board answers to each call of the link: who may, what it does, and what it tells. The network is `rpc`'s business."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import vla_demo
from vla_demo.board import link_pb2 as link
from vla_demo.board.arm import Hardware, NotNow
from vla_demo.board.driver import Driver
from vla_demo.board.handshake import PROTOCOL, differences, robot_message
from vla_demo.board.lease import HEARTBEAT, LOST_AFTER, LeaseDesk, stamped
from vla_demo.board.limits import RobotDescription
from vla_demo.board.packages import OfferedFile, PackageShelf
from vla_demo.board.policies import LoadedPolicy, task_of
from vla_demo.board.telemetry import picture_message, telemetry
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Clock
from vla_demo.runtime import open_policy
from vla_demo.runtime.providers import Running
from vla_demo.runtime.sessions import give_back_memory

__all__ = ["BoardService", "Parts", "StopService"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a board is made of."""

    robot: RobotDescription
    hardware: Hardware
    driver: Driver
    desk: LeaseDesk
    shelf: PackageShelf
    clock: Clock
    running: Running


class StopService:
    """The Stop button: anybody's, without a lease, again and again."""

    def __init__(self, driver: Driver, clock: Clock) -> None:
        self._driver, self._clock = driver, clock
        self._stops = 0

    def Stop(self, request: Any) -> Any:
        who = "".join(c for c in request.who if c.isprintable())[:60] or "somebody"
        self._driver.stop(f"{who} pressed Stop")
        self._stops += 1
        return link.StopReply(now=self._clock.now(), stops=self._stops)


class BoardService:
    """All other calls. Commands need the lease; looking does not."""

    def __init__(self, parts: Parts) -> None:
        self._robot, self._hardware, self._driver = parts.robot, parts.hardware, parts.driver
        self._desk, self._shelf, self._clock, self._running = parts.desk, parts.shelf, parts.clock, parts.running
        self._boot = secrets.token_hex(8)
        self._policy: LoadedPolicy | None = None
        self._loading = ""
        self._changing = threading.Lock()
        self.stop_port = 0

    # --- looking ---------------------------------------------------------------------------------------------------------

    def Hello(self, request: Any) -> Any:
        if request.protocol != PROTOCOL:
            raise InvalidInput(
                f"this board speaks version {PROTOCOL} of the link, the client version {request.protocol}; use the same release"
            )
        here = robot_message(self._robot)
        if request.HasField("expected") and (found := differences(request.expected, here)):
            raise InvalidInput(f"this is not the robot that was expected: {'; '.join(found)}")
        return link.HelloReply(
            protocol=PROTOCOL,
            version=vla_demo.__version__,
            boot=self._boot,
            robot=here,
            stop_port=self.stop_port,
            now=self._clock.now(),
            control_hz=self._driver.hz,
        )

    def Watch(self, request: Any) -> Any:
        answer = telemetry(self._driver, self._desk, request.after, self._clock.now())
        policy = self._policy
        if policy is not None:
            spec = policy.policy.spec
            answer.package, answer.variant, answer.policy, answer.chunk_size = (
                policy.package,
                str(policy.policy.variant),
                spec.checkpoint,
                spec.chunk_size,
            )
        answer.loading = self._loading
        return answer

    def Look(self, request: Any) -> Any:
        seen = self._hardware.observe()
        pictures = (
            [] if seen.captured_at <= request.after else [picture_message(name, p, request.max_width) for name, p in seen.images.items()]
        )
        return link.Pictures(captured_at=seen.captured_at, pictures=pictures, now=self._clock.now())

    def Packages(self, _: Any) -> Any:
        packages = [_package(name, package) for name, package in self._shelf.kept()]
        return link.PackageList(packages=packages, free_bytes=self._shelf.free_bytes())

    # --- the lease -------------------------------------------------------------------------------------------------------

    def Acquire(self, request: Any) -> Any:
        """Whoever commanded before, its task ends."""
        if request.boot != self._boot:
            raise InvalidInput("the board has been started anew since the handshake; shake hands again")
        grant = self._desk.acquire(request.holder, request.takeover)
        self._driver.stop(f"{self._desk.holder() or 'somebody'} took the lease")
        return link.Lease(epoch=grant.epoch, key=grant.key, heartbeat=HEARTBEAT, lost_after=LOST_AFTER)

    def Heartbeat(self, request: Any) -> Any:
        self._desk.admit(stamped(request), "heartbeat")
        return link.HeartbeatReply(now=self._clock.now())

    def Release(self, request: Any) -> Any:
        self._admit(request)
        self._desk.release(request.epoch)
        self._driver.stop("the lease was given back")
        return link.Done()

    # --- commands --------------------------------------------------------------------------------------------------------

    def Reset(self, request: Any) -> Any:
        self._admit(request)
        self._driver.reset()
        return link.Done()

    def Choose(self, request: Any) -> Any:
        """Load a policy while the arm stands. The one before is let go first: a board has no memory for two."""
        self._admit(request.stamp)
        with self._one_at_a_time():
            self._driver.expect_no_task()
            package = self._shelf.open(request.package)
            self._driver.stop("another policy was loaded")  # whoever found the arm ready had looked at the one before
            self._loading, self._policy = request.variant or "FP32", None
            give_back_memory()
            try:
                policy = open_policy(package.folder, request.variant, running=self._running)
                self._policy = LoadedPolicy.warmed_up(request.package, policy, self._robot, self._hardware.observe())
            finally:
                self._loading = ""
        return link.Done()

    def Start(self, request: Any) -> Any:
        self._admit(request.stamp)
        with self._one_at_a_time():
            if self._policy is None:
                raise NotNow("no policy is loaded; choose a package first")
            self._driver.recorder.prepare()
            self._driver.start(task_of(self._policy, request, self._driver.limits, self._driver.hz))
        return link.Done()

    def Pause(self, request: Any) -> Any:
        self._admit(request)
        self._driver.pause()
        return link.Done()

    def Rearrange(self, request: Any) -> Any:
        self._admit(request.stamp)
        with self._one_at_a_time():
            self._driver.expect_no_task()
            self._driver.arm.rearrange(request.start)
        return link.Done()

    # --- packages --------------------------------------------------------------------------------------------------------

    def Offer(self, request: Any) -> Any:
        self._admit(request.stamp, "upload")
        name, have, complete = self._shelf.offer([OfferedFile(f.name, f.size, f.sha256) for f in request.files])
        return link.OfferReply(id=name, have=have, complete=complete)

    def Put(self, request: Any) -> Any:
        self._admit(request.stamp, "upload")
        return link.PutReply(have=self._shelf.put(request.id, request.file, request.offset, request.data))

    def Keep(self, request: Any) -> Any:
        self._admit(request.stamp, "upload")
        return _package(request.id, self._shelf.keep(request.id))

    def Remove(self, request: Any) -> Any:
        """Also the one that is loaded, while no task runs."""
        self._admit(request.stamp)
        with self._one_at_a_time():
            self._driver.expect_no_task()
            self._shelf.remove(request.package)
            if self._policy is not None and self._policy.package == request.package:
                self._policy = None
        return link.Done()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """What changes the policy, the scene or the state does so one at a time; who comes second is refused, not kept waiting."""
        if not self._changing.acquire(blocking=False):
            raise NotNow("a policy is being loaded, or the scene is being set; wait for it")
        try:
            yield
        finally:
            self._changing.release()

    def _admit(self, stamp: Any, lane: str = "command") -> None:
        self._desk.admit(stamped(stamp), lane)


def _package(name: str, package: Any) -> Any:
    return link.PackageInfo(id=name, label=package.spec.checkpoint, bytes=sum(graph.size_bytes for graph in package.graphs))
