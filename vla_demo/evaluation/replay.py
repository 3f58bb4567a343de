"""Replay: a policy runs over a recorded episode chunk by chunk, beside its FP32 reference with the same noise.

The policy sees recorded observations (open loop): at the first frame of each chunk it plans `chunk_size` actions, and the replay walks
through them until the next chunk. What it cannot know is what the arm would have done; that is the closed loop's question.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.formats import count
from vla_demo.core.observation import ActionChunk, Episode, Observation
from vla_demo.core.policy import Policy, PolicySpec
from vla_demo.core.variant import Variant

__all__ = ["PlannedChunk", "ReplayReport", "ReplayStep", "chunk_noise", "replay"]


@dataclass(frozen=True, slots=True)
class PlannedChunk:
    """One inference of the variant and of its reference, from the same observation and noise."""

    start: int  # frame it was planned at
    predicted: NDArray[np.float32]  # (T, J) dataset units, this variant
    reference: NDArray[np.float32]  # (T, J) FP32, same noise
    recorded: NDArray[np.float32]  # (M, J), M <= T: what the demonstrator did from `start` on, shorter at the end of the episode
    stage_ms: Mapping[str, float]  # of the variant: stage role -> wall milliseconds
    reference_stage_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """One frame of a running replay."""

    frame: int  # index in the episode
    frames: int  # length of the episode
    chunk: PlannedChunk  # whose plan this frame follows

    @property
    def starts_chunk(self) -> bool:
        """Whether inference ran at this frame."""
        return self.frame == self.chunk.start

    @property
    def recorded(self) -> NDArray[np.float32]:
        """(J,) what the demonstrator commanded."""
        return self._row(self.chunk.recorded)

    @property
    def predicted(self) -> NDArray[np.float32]:
        """(J,) what this variant commands."""
        return self._row(self.chunk.predicted)

    @property
    def reference(self) -> NDArray[np.float32]:
        """(J,) what FP32 commands with the same noise."""
        return self._row(self.chunk.reference)

    @property
    def stage_ms(self) -> Mapping[str, float]:
        return self.chunk.stage_ms

    @property
    def reference_stage_ms(self) -> Mapping[str, float]:
        """Same chunk, same machine: what a speed-up is measured against."""
        return self.chunk.reference_stage_ms

    def _row(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        row: NDArray[np.float32] = actions[self.frame - self.chunk.start]
        return row


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a finished (or stopped) replay measured; `as_json` is the CLI's schema. MAE and max_abs are in dataset units."""

    variant: Variant
    reference: Variant
    episode: int
    seed: int
    frames: int  # compared so far: fewer than the episode's when the replay was stopped
    episode_frames: int
    chunks: int  # inferences: the n of stage_ms and of every whole-chunk figure
    joint_names: tuple[str, ...]
    chunk_mae: Mapping[str, float]  # vs recorded, over every action of every chunk that has a recorded counterpart
    executed_mae: Mapping[str, float]  # vs recorded, over the actions that would have been executed
    reference_executed_mae: Mapping[str, float]  # the FP32 reference vs recorded, over the same actions
    reference_mae: Mapping[str, float]  # vs FP32, same noise, over whole chunks
    reference_max_abs: float  # over whole chunks and all joints
    reference_max_abs_std: float  # the same in standard deviations of the joint's action
    reference_min_cosine: float  # the smallest of any chunk; see `metrics.cosine`
    normalized_by: str  # "checkpoint" | "dataset" | "episode": whose mean and std the last two are taken in
    within_tolerance: float  # share of executed actions with every joint within `tolerance` of the recorded one
    tolerance: Mapping[str, float]  # joint -> dataset units
    tolerance_definition: str  # for a person
    stage_ms: Mapping[str, Mapping[str, float]]  # stage -> {"p50", "p95"} over chunks, measured here
    reference_stage_ms: Mapping[str, Mapping[str, float]]  # the same for the FP32 reference of this run
    stage_bytes: Mapping[str, int]  # graphs of the variant
    measured_on: str  # the machine

    @property
    def is_reference(self) -> bool:
        """The variant is the reference itself: it ran once, and its distance from itself says nothing."""
        return self.variant == self.reference

    @property
    def measured(self) -> str:
        """Where the times come from, and over how many chunks."""
        return f"here, wall clock, {count(self.chunks, 'chunk')}, {self.measured_on}"

    def as_json(self) -> dict[str, Any]:
        """Plain data: times in milliseconds, sizes in bytes."""
        return {
            "variant": str(self.variant),
            "episode": self.episode,
            "frames": self.frames,
            "episode_frames": self.episode_frames,
            "chunks": self.chunks,
            "seed": self.seed,
            "vs_recorded": self._vs_recorded(),
            "vs_reference": self._vs_reference(),
            "stage_ms": {stage: dict(ms) for stage, ms in self.stage_ms.items()},
            "stage_bytes": dict(self.stage_bytes),
            "package_bytes": sum(self.stage_bytes.values()),
            "measured": self.measured,
        }

    def _vs_recorded(self) -> dict[str, Any]:
        return {
            "chunk_mae": dict(self.chunk_mae),
            "executed_mae": dict(self.executed_mae),
            "reference_executed_mae": dict(self.reference_executed_mae),
            "within_tolerance": self.within_tolerance,
            "tolerance": dict(self.tolerance),
            "tolerance_definition": self.tolerance_definition,
        }

    def _vs_reference(self) -> dict[str, Any]:
        return {
            "reference": str(self.reference),
            "is_reference": self.is_reference,
            "max_abs": self.reference_max_abs,
            "max_abs_std": self.reference_max_abs_std,
            "min_cosine": self.reference_min_cosine,
            "normalized_by": self.normalized_by,
            "mae": dict(self.reference_mae),
            "stage_ms": {stage: dict(ms) for stage, ms in self.reference_stage_ms.items()},
        }


def replay(policy: Policy, reference: Policy, episode: Episode, *, seed: int, horizon: int | None = None) -> Iterator[ReplayStep]:
    """Run both over the episode; one step a frame, as inference goes.

    `horizon` actions of each chunk are executed before the next is planned; None: as many as the checkpoint says (`n_action_steps`).
    When `reference` is `policy`, its chunk is used for both and nothing runs twice. Raises `InvalidInput` for a horizon the policy
    cannot fill and `VlaDemoError` when a policy answers numbers that are not finite.
    """
    taken = policy.spec.n_action_steps if horizon is None else horizon
    if not 1 <= taken <= policy.spec.chunk_size:
        raise InvalidInput(f"horizon {taken} is out of range; {policy.spec.family} plans {policy.spec.chunk_size} actions, so 1 to that")
    policy.reset()
    reference.reset()
    for number, start in enumerate(range(0, len(episode), taken)):
        noise = chunk_noise(policy.spec, seed, episode.index, number)
        chunk = _planned(policy, reference, episode, start, noise, reference_first=number % 2 == 1)
        for frame in range(start, min(start + taken, len(episode))):
            yield ReplayStep(frame, len(episode), chunk)


def chunk_noise(spec: PolicySpec, seed: int, episode: int, chunk: int) -> NDArray[np.float32] | None:
    """Standard normal noise (T, A) of `spec.noise_shape`, the same on every machine; None where the policy takes none."""
    if spec.noise_shape is None:
        return None
    return np.random.default_rng([seed, episode, chunk]).standard_normal(spec.noise_shape, dtype=np.float32)


def _planned(
    policy: Policy, reference: Policy, episode: Episode, start: int, noise: NDArray[np.float32] | None, *, reference_first: bool
) -> PlannedChunk:
    """Who goes first changes from chunk to chunk, so that decoding a picture just before slows neither in particular."""
    observation = episode.frame(start).observation
    if reference is policy:
        predicted = expected = _finite(policy, observation, noise, start)
    elif reference_first:
        expected, predicted = (_finite(p, observation, noise, start) for p in (reference, policy))
    else:
        predicted, expected = (_finite(p, observation, noise, start) for p in (policy, reference))
    recorded = episode.actions[start : start + len(predicted.actions)]
    return PlannedChunk(start, predicted.actions, expected.actions, recorded, predicted.stage_ms, expected.stage_ms)


def _finite(policy: Policy, observation: Observation, noise: NDArray[np.float32] | None, start: int) -> ActionChunk:
    chunk = policy.predict_chunk(observation, noise=noise)
    if not np.isfinite(chunk.actions).all():
        raise VlaDemoError(f"at frame {start} the policy answered numbers that are not finite; this variant cannot drive a robot")
    return chunk
