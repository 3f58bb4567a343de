"""What a board tells, as plain data: its handshake, its news, its pictures."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["JointFacts", "RobotFacts", "RobotPictures", "RobotTick", "RobotView", "robot_facts", "robot_view"]

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
class RobotView:
    """The newest news."""

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
    ticks: tuple[RobotTick, ...]  # the newest 64
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


def robot_facts(hello: Any, address: str) -> RobotFacts:
    """Of a `link.HelloReply`."""
    robot = hello.robot
    joints = tuple(JointFacts(j.name, j.unit, j.low, j.high, j.max_velocity) for j in robot.joints)
    cameras = tuple(camera.name for camera in robot.cameras)
    return RobotFacts(address, robot.kind, robot.id, robot.calibration, hello.version, hello.control_hz, joints, cameras)


def robot_view(told: Any, mine: bool, lost: str | None, round_trip: float, picture_age: float | None) -> RobotView:
    """Of a `link.Telemetry`."""
    counted = ("inferences", "starved_ticks", "late_ticks", "limited_ticks", "rejected_chunks")
    return RobotView(
        state=_STATES[told.state],
        reason=told.reason,
        moving=told.moving,
        holder=told.holder,
        mine=mine and bool(told.holder),
        lost=lost,
        package=told.package,
        policy=told.policy,
        variant=told.variant,
        loading=told.loading,
        chunk_size=told.chunk_size,
        ticks=tuple(_tick(tick) for tick in told.ticks),
        inference=tuple(told.inference),
        stage_ms=_medians(told.stages),
        counts={name: getattr(told, name) for name in counted},
        temperature=None if math.isnan(told.temperature) else told.temperature,
        memory_bytes=told.memory_bytes,
        round_trip=round_trip,
        picture_age=picture_age,
    )


def _medians(stages: Sequence[Any]) -> dict[str, float]:
    return {role: statistics.median(one.ms[role] for one in stages) for role in (stages[-1].ms if stages else ())}


def _tick(t: Any) -> RobotTick:
    return RobotTick(t.number, t.at, t.late, tuple(t.commanded), tuple(t.measured), t.queue, t.starved, t.limited)
