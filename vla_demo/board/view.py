"""What a board tells, as plain data: its handshake, its news, its pictures, its packages and episodes. No message of the link leaves this
folder in another form.
"""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import BoardError

if TYPE_CHECKING:
    from vla_demo.board import link_pb2 as link

__all__ = [
    "BoardEpisode",
    "BoardPackage",
    "EpisodesView",
    "JointFacts",
    "LinkView",
    "RobotFacts",
    "RobotPictures",
    "RobotTick",
    "RobotView",
    "episodes_view",
    "packages",
    "robot_facts",
    "robot_pictures",
    "robot_view",
]

_ID = re.compile(r"[0-9a-f]{16}")
_COUNTED = ("inferences", "starved_ticks", "late_ticks", "limited_ticks", "rejected_chunks")
_STATES = ("unknown", "stopped", "ready", "running", "fault")


@dataclass(frozen=True, slots=True)
class JointFacts:
    """In dataset units."""

    name: str
    unit: str
    low: float
    high: float
    max_velocity: float  # units/s


@dataclass(frozen=True, slots=True)
class RobotFacts:
    """What the handshake told."""

    address: str
    kind: str
    name: str
    calibration: str  # sha256; empty where there is none
    version: str  # of the board's program
    control_hz: float
    joints: tuple[JointFacts, ...]
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RobotTick:
    """One control period of a task."""

    number: int
    at: float  # s, the board's clock
    late: float  # s
    commanded: tuple[float, ...]  # (J,)
    measured: tuple[float, ...]  # (J,)
    queue: int
    starved: bool
    limited: bool


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the near end knows of its own link."""

    mine: bool  # the lease is held here
    lost: str | None  # why the lease is not mine any more
    round_trip: float  # s, the quickest of the last few
    picture_age: float | None  # s, of the pictures last looked at


@dataclass(frozen=True, slots=True)
class RobotView:
    """The newest news."""

    now: float  # s, the board's clock
    state: str  # "stopped" | "ready" | "running" | "fault" | "unknown"
    reason: str
    moving: bool
    holder: str  # of the lease; empty when nobody has it
    mine: bool
    lost: str | None  # why the lease is not mine any more
    package: str
    policy: str  # the checkpoint it was exported from
    variant: str
    loading: str
    chunk_size: int
    ticks: tuple[RobotTick, ...]  # after the one asked for, at most the newest 64
    measured: tuple[float, ...]  # (J,) where the arm is now; empty when it does not say
    inference: tuple[float, ...]  # s, the newest 32
    stage_ms: Mapping[str, float]  # stage -> median over the same inferences
    counts: Mapping[str, int]  # since the task began
    temperature: float | None  # degrees Celsius
    memory_bytes: int
    round_trip: float  # s
    picture_age: float | None  # s, of the pictures last looked at


@dataclass(frozen=True, slots=True)
class RobotPictures:
    """What the cameras saw last."""

    captured_at: float  # s, the board's clock
    pictures: Mapping[str, NDArray[np.uint8]]  # camera -> (H, W, 3) RGB


@dataclass(frozen=True, slots=True)
class BoardPackage:
    """A package that a board keeps."""

    id: str
    label: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class BoardEpisode:
    """One recorded task."""

    id: str
    recorded_at: float  # s since 1970, by the board's clock
    frames: int
    seconds: float
    ended: str  # why
    old_pictures: int  # frames that show pictures older than there were
    cut_frames: int  # control periods that are missing at its end
    policy: str
    variant: str
    success: bool | None  # None: nobody has judged it
    size_bytes: int


@dataclass(frozen=True, slots=True)
class EpisodesView:
    """What a board has recorded, and whether it goes on."""

    on: bool
    folder: str  # on the board
    limit_bytes: int
    free_bytes: int
    problem: str  # why the newest was not kept; empty when nothing was wrong
    closing: bool  # one that has ended is still being written
    last: str  # of the newest task; empty when it was not recorded
    episodes: tuple[BoardEpisode, ...]  # the oldest first


def robot_facts(hello: "link.HelloReply", address: str) -> RobotFacts:
    """What the handshake says."""
    robot = hello.robot
    joints = tuple(JointFacts(j.name, j.unit, j.low, j.high, j.max_velocity) for j in robot.joints)
    cameras = tuple(camera.name for camera in robot.cameras)
    return RobotFacts(address, robot.kind, robot.id, robot.calibration, hello.version, hello.control_hz, joints, cameras)


def robot_view(news: "link.Telemetry", near: LinkView) -> RobotView:
    """What the board says, and what the near end of the link knows."""
    return RobotView(
        now=news.now,
        state=_STATES[news.state],
        reason=news.reason,
        moving=news.moving,
        holder=news.holder,
        mine=near.mine and bool(news.holder),
        lost=near.lost,
        package=news.package,
        policy=news.policy,
        variant=news.variant,
        loading=news.loading,
        chunk_size=news.chunk_size,
        ticks=tuple(_tick(tick) for tick in news.ticks),
        measured=tuple(news.measured),
        inference=tuple(news.inference),
        stage_ms=_medians(news.stages),
        counts={name: getattr(news, name) for name in _COUNTED},
        temperature=None if math.isnan(news.temperature) else news.temperature,
        memory_bytes=news.memory_bytes,
        round_trip=near.round_trip,
        picture_age=near.picture_age,
    )


def robot_pictures(found: "link.Pictures") -> RobotPictures | None:
    """The pictures as (H, W, 3) RGB; None when there are no newer ones than those that were asked for."""
    if not found.pictures:
        return None
    pictures = {p.camera: np.frombuffer(p.rgb, np.uint8).reshape(p.height, p.width, 3) for p in found.pictures}
    return RobotPictures(found.captured_at, pictures)


def packages(found: "link.PackageList") -> tuple[BoardPackage, ...]:
    return tuple(BoardPackage(one.id, one.label, one.bytes) for one in found.packages)


def episodes_view(found: "link.RecordingList") -> EpisodesView:
    """Raises `BoardError` for an episode whose name would be no name of a folder."""
    return EpisodesView(
        on=found.on,
        folder=found.folder,
        limit_bytes=found.limit_bytes,
        free_bytes=found.free_bytes,
        problem=found.problem,
        closing=found.closing,
        last=found.last,
        episodes=tuple(_episode(one) for one in found.recordings),
    )


def _medians(stages: "Sequence[link.StageTimes]") -> dict[str, float]:
    return {role: statistics.median(one.ms[role] for one in stages) for role in (stages[-1].ms if stages else ())}


def _tick(t: "link.Tick") -> RobotTick:
    return RobotTick(t.number, t.at, t.late, tuple(t.commanded), tuple(t.measured), t.queue, t.starved, t.limited)


def _episode(one: "link.Recording") -> BoardEpisode:
    if not _ID.fullmatch(one.id):
        raise BoardError(f"the board names an episode {one.id[:40]!r}, which is no name of an episode")
    return BoardEpisode(
        id=one.id,
        recorded_at=one.recorded_at,
        frames=one.frames,
        seconds=one.frames / max(one.fps, 1e-9),
        ended=one.ended,
        old_pictures=one.old_pictures,
        cut_frames=one.cut_frames,
        policy=one.policy,
        variant=one.variant,
        success=one.success if one.HasField("success") else None,
        size_bytes=one.bytes,
    )
