"""What a policy sees and what it answers, at the boundary of every room: uint8 RGB pictures, joints in dataset units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["ActionChunk", "Clock", "Episode", "Frame", "Observation"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One moment as a robot sees it."""

    images: Mapping[str, NDArray[np.uint8]]  # camera name -> (H, W, 3) RGB
    joints: NDArray[np.float32]  # (J,) dataset units (SO-101: degrees, gripper 0..100)
    instruction: str
    captured_at: float  # s, the sender's monotonic clock


@dataclass(frozen=True, slots=True)
class ActionChunk:
    """The actions a policy plans from one observation, one row a control tick."""

    actions: NDArray[np.float32]  # (T, J) dataset units
    observed_at: float  # s, `captured_at` of the observation it answers
    stage_ms: Mapping[str, float] = field(default_factory=dict)  # stage role -> wall milliseconds; empty when not measured


@dataclass(frozen=True, slots=True)
class Frame:
    """A recorded moment and the action the demonstrator commanded there."""

    observation: Observation
    action: NDArray[np.float32]  # (J,) dataset units


@dataclass(frozen=True, slots=True)
class Episode:
    """A recorded demonstration. Numbers are in memory; pictures are decoded when `frame` asks for them."""

    index: int
    fps: float
    joint_names: tuple[str, ...]
    instruction: str
    states: NDArray[np.float32]  # (N, J) measured joints
    actions: NDArray[np.float32]  # (N, J) commanded joints
    cluster: int | None  # 1..11 of the tea-bag protocol; None when the dataset does not say
    is_recovery: bool
    frame: Callable[[int], Frame]  # 0 <= i < N; IndexError outside

    def __len__(self) -> int:
        return len(self.actions)


class Clock(Protocol):
    """Seconds that only go forward: real, or manual for tests and simulated latency."""

    def now(self) -> float: ...

    def sleep_until(self, moment: float) -> None: ...
