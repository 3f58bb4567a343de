"""From what was measured to the figures of the trap report. Pure: it runs no policy and reads no clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.evaluation.anatomy import FlowErrors, amplification, coherence, iteration_errors, ratio, rms
from vla_demo.evaluation.bootstrap import Interval, clustered_interval
from vla_demo.evaluation.comparison import by_position, compare, differences, error_vs_recorded, verdict
from vla_demo.evaluation.composition import two_by_two
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.sensitivity import (
    ALL_STAGES,
    IterationErrors,
    Numbers,
    ReferenceFacts,
    SensitivityRow,
    Smoothness,
    StageCost,
    StepRow,
    TwoByTwo,
)
from vla_demo.evaluation.smoothness import Plan, chunk_smoothness, gripper_joint
from vla_demo.evaluation.study import LIMIT_STEPS, ReferenceChunk, VariantChunk

__all__ = ["Conclusions", "Question", "Subject", "VariantAnswer"]

Chunks = Sequence[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one variant."""

    stage: str  # a role or "all"
    precision: str
    operands: str
    variant: str
    differs: tuple[str, ...]  # stages that are not FP32


@dataclass(frozen=True, slots=True)
class VariantAnswer:
    question: Question
    graphs: Sequence[StageGraph]  # of the variant, as they ran
    chunks: Sequence[VariantChunk]  # one a moment
    problem: str | None = None  # why there are none


@dataclass(frozen=True, slots=True)
class Subject:
    """What is studied, and by what its numbers are to be read."""

    spec: PolicySpec
    scale: ActionScale
    fps: float
    graphs: Sequence[StageGraph]  # FP32


class Conclusions:
    """Over one study. `reference` has at least one chunk."""

    def __init__(self, subject: Subject, reference: Sequence[ReferenceChunk]) -> None:
        self._spec, self._scale, self._fps, self._graphs = subject.spec, subject.scale, subject.fps, subject.graphs
        self._reference = reference
        self._clusters = [r.moment.episode for r in reference]
        self._expected: Chunks = [r.actions for r in reference]
        self._recorded: Chunks = [r.moment.recorded for r in reference]
        self.vs_recorded = error_vs_recorded(self._expected, self._recorded, self._scale, self._clusters)
        self.seed_spread = self._seed_spread()

    @property
    def n_observations(self) -> int:
        return len(self._reference)

    def reference_facts(self) -> ReferenceFacts:
        costs = {
            stage.role: StageCost(_bytes(self._graphs, [stage.role]), _median([r.stage_ms[stage.role] for r in self._reference]))
            for stage in self._spec.stages
        }
        return ReferenceFacts(self.vs_recorded, self.seed_spread, costs, self._smoothness(self._expected))

    def row(self, answer: VariantAnswer) -> SensitivityRow:
        asked = answer.question
        names = (asked.stage, asked.precision, asked.operands, asked.variant, len(answer.chunks))
        if answer.problem is not None:
            return SensitivityRow(*names, problem=answer.problem)
        chunks = _actions(answer)
        found = compare(chunks, self._expected, self._scale, self._clusters)
        recorded = error_vs_recorded(chunks, self._recorded, self._scale, self._clusters)
        ran = [g for g in answer.graphs if g.role in asked.differs]
        timed = [c for c in answer.chunks if c.reference_ms]
        return SensitivityRow(
            *names,
            error=found.error,
            max_abs=found.max_abs,
            p95=found.p95,
            min_cosine=found.min_cosine,
            vs_recorded=recorded,
            verdict=verdict(recorded, self.vs_recorded, self._clusters),
            bytes=_bytes(ran, asked.differs),
            fp32_bytes=_bytes(self._graphs, asked.differs),
            ms=_median([_spent(c.stage_ms, asked.differs) for c in timed]),
            fp32_ms=_median([_spent(c.reference_ms, asked.differs) for c in timed]),
            quantized_nodes=sum(g.quantized_nodes for g in ran),
            nodes=sum(g.nodes for g in ran),
            quantized_weight_bytes=sum(g.quantized_weight_bytes for g in ran),
            weight_bytes=sum(g.weight_bytes for g in ran),
            sha256=tuple(g.sha256 for g in ran),
            smoothness=self._smoothness(chunks),
        )

    def iterations(self, answers: Sequence[VariantAnswer]) -> Mapping[str, IterationErrors]:
        return {precision: iteration_errors(chunks) for precision, chunks in self._flows(answers).items()}

    def amplification(self, answers: Sequence[VariantAnswer]) -> Mapping[str, Numbers]:
        return {precision: amplification(chunks) for precision, chunks in self._flows(answers).items()}

    def coherence(self, answers: Sequence[VariantAnswer]) -> Mapping[str, Numbers]:
        return {precision: coherence(chunks) for precision, chunks in self._flows(answers).items()}

    def two_by_two(self, answers: Sequence[VariantAnswer]) -> tuple[TwoByTwo, ...]:
        """For each precision that both parts could have."""
        rows = []
        experts = {a.question.precision: a for a in answers if a.question.stage == self._spec.stages[-1].role and not a.problem}
        for answer in _of_all_stages(answers):
            expert = experts.get(answer.question.precision)
            prefix = [c.prefix_only for c in answer.chunks if c.prefix_only is not None]
            if expert is not None and len(prefix) == len(answer.chunks) > 0:
                alone, both = self._differences(_actions(expert)), self._differences(_actions(answer))
                rows.append(two_by_two(answer.question.precision, self._differences(prefix), alone, both, self._clusters))
        return tuple(rows)

    def steps(self, answers: Sequence[VariantAnswer]) -> tuple[StepRow, ...]:
        """For each number of denoising steps that was swept. All stages go by their precision, one by `stage=precision`."""
        swept = [i for i, r in enumerate(self._reference) if r.swept]
        if not swept:
            return ()
        counts = [n for n in self._reference[swept[0]].swept if n != LIMIT_STEPS]
        chosen = {_swept_name(a): a for a in answers if not a.problem and all(a.chunks[i].swept for i in swept)}
        return tuple(self._step_row(steps, swept, chosen) for steps in counts)

    def by_position(self, answers: Sequence[VariantAnswer]) -> Mapping[str, tuple[float, ...]]:
        """Distance from FP32 with all stages in a precision; "fp32" is its own distance from the recordings that fill a chunk."""
        full = [i for i, r in enumerate(self._recorded) if len(r) == self._spec.chunk_size]
        own = differences([self._expected[i] for i in full], [self._recorded[i] for i in full], self._scale) if full else None
        found = {} if own is None else {"fp32": by_position(own)}
        return found | {a.question.precision: by_position(self._differences(_actions(a))) for a in _of_all_stages(answers)}

    def smoothness(self, answers: Sequence[VariantAnswer]) -> Mapping[str, Smoothness]:
        found = {"recorded": self._recorded_smoothness(), "fp32": self._smoothness(self._expected)}
        return found | {a.question.precision: self._smoothness(_actions(a)) for a in _of_all_stages(answers)}

    def _step_row(self, steps: int, swept: Sequence[int], chosen: Mapping[str, VariantAnswer]) -> StepRow:
        def at(count: int) -> Chunks:
            return [self._reference[i].swept[count] for i in swept]

        clusters = [self._clusters[i] for i in swept]
        solver = self._interval(at(steps), at(LIMIT_STEPS), clusters)
        quantized = {n: self._interval([a.chunks[i].swept[steps] for i in swept], at(steps), clusters) for n, a in chosen.items()}
        recorded = error_vs_recorded(at(steps), [self._recorded[i] for i in swept], self._scale, clusters)
        spread = self.seed_spread.mean if self.seed_spread is not None else 0.0
        shares = {name: ratio(interval.mean, spread) for name, interval in {"solver": solver, **quantized}.items()}
        ms = _median([self._reference[i].swept_ms[steps] for i in swept])
        return StepRow(steps, solver, quantized, recorded, shares, ms, len(swept))

    def _seed_spread(self) -> Interval | None:
        """RMS between every two chunks of one observation from different noise, averaged; None where there is no noise."""
        if not all(r.others for r in self._reference):
            return None
        return clustered_interval([self._seed_distance(r) for r in self._reference], self._clusters)

    def _seed_distance(self, chunk: ReferenceChunk) -> float:
        plans = [chunk.actions, *chunk.others]
        pairs = [(a, b) for i, a in enumerate(plans) for b in plans[:i]]
        return float(rms(differences([a for a, _ in pairs], [b for _, b in pairs], self._scale)).mean())

    def _flows(self, answers: Sequence[VariantAnswer]) -> dict[str, list[FlowErrors]]:
        experts = [a for a in answers if a.question.stage == self._spec.stages[-1].role and not a.problem]
        found = {a.question.precision: [c.flow for c in a.chunks if c.flow is not None] for a in experts}
        return {precision: flows for precision, flows in found.items() if flows}

    def _differences(self, chunks: Chunks) -> NDArray[np.float64]:
        return differences(chunks, self._expected, self._scale)

    def _interval(self, chunks: Chunks, reference: Chunks, clusters: Sequence[int]) -> Interval:
        return clustered_interval(rms(differences(chunks, reference, self._scale)), clusters)

    def _smoothness(self, chunks: Chunks) -> Smoothness:
        """A plan that follows another one begins where that one's carried out part ended."""
        taken = self._spec.n_action_steps
        follows = [r.moment.follows for r in self._reference]
        plans = [
            Plan(self._scale.normalized(c), None if f is None else self._scale.normalized(chunks[f][taken - 1]))
            for c, f in zip(chunks, follows, strict=True)
        ]
        return chunk_smoothness(plans, self._fps, taken, gripper_joint(self._spec.joint_names))

    def _recorded_smoothness(self) -> Smoothness:
        befores = [r.moment.before for r in self._reference]
        plans = [
            Plan(self._scale.normalized(c), None if b is None else self._scale.normalized(b))
            for c, b in zip(self._recorded, befores, strict=True)
        ]
        return chunk_smoothness(plans, self._fps, self._spec.n_action_steps, gripper_joint(self._spec.joint_names))


def _of_all_stages(answers: Sequence[VariantAnswer]) -> list[VariantAnswer]:
    return [a for a in answers if a.question.stage == ALL_STAGES and not a.problem]


def _swept_name(answer: VariantAnswer) -> str:
    asked = answer.question
    return asked.precision if asked.stage == ALL_STAGES else f"{asked.stage}={asked.precision}"


def _actions(answer: VariantAnswer) -> Chunks:
    return [c.actions for c in answer.chunks]


def _bytes(graphs: Sequence[StageGraph], roles: Collection[str]) -> int:
    return sum(g.size_bytes for g in graphs if g.role in roles)


def _spent(stage_ms: Mapping[str, float], roles: Collection[str]) -> float:
    return sum(stage_ms[role] for role in roles)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
