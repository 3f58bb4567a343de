"""Adds up a replay: takes steps as they come and makes the report of them. It runs nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.variant import Variant
from vla_demo.evaluation.metrics import ActionScale, Tolerance, cosine, mean_abs, percentiles, share_within
from vla_demo.evaluation.replay import PlannedChunk, ReplayReport, ReplayStep

__all__ = ["ReplaySubject", "ReplayTally"]


@dataclass(frozen=True, slots=True)
class ReplaySubject:
    """What is replayed, and by what its numbers are to be read."""

    variant: Variant
    reference: Variant
    episode: int
    seed: int
    joint_names: tuple[str, ...]
    scale: ActionScale
    stage_bytes: Mapping[str, int]  # of the variant's graphs: stage role -> bytes
    measured_on: str  # the machine, for a person


class ReplayTally:
    """`report` may be asked for at any time after the first step; it is about the steps added so far."""

    def __init__(self, subject: ReplaySubject) -> None:
        self._subject = subject
        self._tolerance = Tolerance.for_joints(subject.joint_names, subject.scale)
        self._chunks: list[PlannedChunk] = []
        self._steps: list[ReplayStep] = []

    def add(self, step: ReplayStep) -> None:
        if step.starts_chunk:
            self._chunks.append(step.chunk)
        self._steps.append(step)

    def report(self) -> ReplayReport:
        """Raises `VlaDemoError` before the first step."""
        if not self._steps:
            raise VlaDemoError("nothing was replayed, so there is nothing to report")
        subject, scale = self._subject, self._subject.scale
        recorded, predicted, reference = (np.stack([getattr(s, of) for s in self._steps]) for of in ("recorded", "predicted", "reference"))
        gap = np.concatenate([np.abs(c.predicted.astype(np.float64) - c.reference) for c in self._chunks])
        return ReplayReport(
            variant=subject.variant,
            reference=subject.reference,
            episode=subject.episode,
            seed=subject.seed,
            frames=len(self._steps),
            episode_frames=self._steps[0].frames,
            chunks=len(self._chunks),
            joint_names=subject.joint_names,
            chunk_mae=self._by_joint(self._chunk_mae()),
            executed_mae=self._by_joint(mean_abs(predicted, recorded)),
            reference_executed_mae=self._by_joint(mean_abs(reference, recorded)),
            reference_mae=self._by_joint(gap.mean(axis=0)),
            reference_max_abs=float(gap.max()),
            reference_max_abs_std=float((gap / scale.std).max()),
            reference_min_cosine=min(cosine(c.predicted, c.reference, scale) for c in self._chunks),
            normalized_by=scale.source,
            within_tolerance=share_within(predicted, recorded, list(self._tolerance.by_joint.values())),
            tolerance=self._tolerance.by_joint,
            tolerance_definition=self._tolerance.definition,
            stage_ms=_percentiles([c.stage_ms for c in self._chunks]),
            reference_stage_ms=_percentiles([c.reference_stage_ms for c in self._chunks]),
            stage_bytes=subject.stage_bytes,
            measured_on=subject.measured_on,
        )

    def _chunk_mae(self) -> NDArray[np.float64]:
        planned = np.concatenate([c.predicted[: len(c.recorded)] for c in self._chunks])
        return mean_abs(planned, np.concatenate([c.recorded for c in self._chunks]))

    def _by_joint(self, values: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self._subject.joint_names, values.tolist(), strict=True))


def _percentiles(times: list[Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    return {role: percentiles([ms[role] for ms in times]) for role in times[0]}
