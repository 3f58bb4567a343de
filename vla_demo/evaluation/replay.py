"""Replay: a policy runs over a recorded episode chunk by chunk, beside its FP32 reference with the same noise.

The policy sees recorded observations (open loop): at the first frame of each chunk it plans `chunk_size` actions, and the replay walks
through them until the next chunk. What it cannot know is what the arm would have done; that is the closed loop's question.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.variant import Variant

__all__ = ["ReplayReport", "ReplayStep"]


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """One frame of a running replay."""

    frame: int  # index in the episode
    frames: int  # length of the episode
    recorded: NDArray[np.float32]  # (J,) dataset units
    predicted: NDArray[np.float32]  # (J,) this variant
    reference: NDArray[np.float32]  # (J,) FP32, same noise
    starts_chunk: bool  # inference ran at this frame
    stage_ms: Mapping[str, float]  # of the chunk this frame belongs to
    reference_stage_ms: Mapping[str, float]  # the FP32 reference's, same chunk, same machine: what a speed-up is measured against


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a finished (or stopped) replay measured; `as_json` is the CLI's schema."""

    variant: Variant
    episode: int
    frames: int  # compared so far: fewer than the episode's when the replay was stopped
    chunks: int  # inferences: the n of stage_ms and of every whole-chunk figure
    joint_names: tuple[str, ...]
    chunk_mae: Mapping[str, float]  # vs recorded, over every action of every chunk that has a recorded counterpart; dataset units
    executed_mae: Mapping[str, float]  # vs recorded, over the actions that would have been executed
    reference_executed_mae: Mapping[str, float]  # the FP32 reference vs recorded, over the same actions
    reference_mae: Mapping[str, float]  # vs FP32, same noise, over whole chunks
    reference_max_abs: float
    reference_min_cosine: float
    within_tolerance: float  # share of executed actions with every joint within `tolerance` of the recorded one
    tolerance: Mapping[str, float]  # the definition of that share: joint -> dataset units
    stage_ms: Mapping[str, Mapping[str, float]]  # stage -> {"p50", "p95"}, measured here
    reference_stage_ms: Mapping[str, Mapping[str, float]]  # the same for the FP32 reference of this run
    stage_bytes: Mapping[str, int]
