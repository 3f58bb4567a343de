"""The measuring behind the trap report: FP32 once over all moments, then each variant over the same ones, chunk by chunk.

Both are generators of one result a chunk, so that whoever asks can show progress and stop between any two. What the results mean is
`conclusions`' business; how a variant's graphs are made is nobody's here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import QuantizationError
from vla_demo.core.observation import Observation
from vla_demo.core.policy import PolicySpec
from vla_demo.evaluation.anatomy import FlowErrors, flow_errors
from vla_demo.evaluation.flow import ActionUnit, OpenPolicy, Path, follow
from vla_demo.runtime.policy import GraphRun, Tensors

__all__ = ["LIMIT_STEPS", "Moment", "ReferenceChunk", "StudyPlan", "VariantChunk", "reference_chunks", "variant_chunks"]

LIMIT_STEPS = 100  # Euler with so many steps stands for the exact solution of the flow
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Moment:
    """One observation of the study."""

    episode: int
    frame: int
    observation: Observation
    recorded: Array  # (M, J), M <= T: what the demonstrator did from here on
    before: Array | None  # (J,) what the demonstrator did just before
    follows: int | None  # number of the moment whose plan ends where this one begins
    noise: Array | None  # (T, A)
    other_noises: tuple[Array, ...] = ()  # (T, A) each, for the spread from seed to seed


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What is measured beyond the chunks themselves."""

    unit: ActionUnit
    steps: tuple[int, ...]  # numbers of denoising steps to sweep; none where there is no denoising
    swept: Collection[int]  # numbers of the moments that are swept
    timed: int  # so many chunks of each variant are run in turns with FP32
    sweeps_all: bool = False  # sweep also variants in which one part alone differs from FP32


@dataclass(frozen=True, slots=True)
class ReferenceChunk:
    """FP32 at one moment."""

    moment: Moment
    prefix: Tensors  # what the last stage reads, as `OpenPolicy.prefix` gives it
    actions: Array  # (T, J) dataset units
    path: Path | None  # where there is denoising
    others: tuple[Array, ...]  # (T, J) each, from the other noises
    swept: Mapping[int, Array]  # steps -> (T, J), with LIMIT_STEPS; empty for a moment that is not swept
    swept_ms: Mapping[int, float]  # steps -> wall milliseconds of the last stage
    stage_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VariantChunk:
    """A variant at one moment."""

    actions: Array  # (T, J) dataset units
    prefix_only: Array | None  # (T, J): its prefix, FP32's last stage; None unless both parts differ from FP32
    flow: FlowErrors | None  # where only the last stage differs and there is denoising
    swept: Mapping[int, Array] = field(default_factory=dict)  # steps -> (T, J) dataset units; empty where nothing is swept
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    reference_ms: Mapping[str, float] = field(default_factory=dict)  # FP32's just before or after; empty for a chunk that was not timed


def reference_chunks(policy: OpenPolicy, moments: Sequence[Moment], plan: StudyPlan) -> Iterator[ReferenceChunk]:
    """One a moment, in order."""
    for number, moment in enumerate(moments):
        run = GraphRun()
        prefix = _read_by_last_stage(policy.spec, policy.prefix(moment.observation, run))
        actions, path = _planned(policy, prefix, moment.noise, policy.spec.denoise_steps, run)
        others = tuple(_planned(policy, prefix, noise, policy.spec.denoise_steps)[0] for noise in moment.other_noises)
        swept, swept_ms = _reference_sweep(policy, prefix, moment, plan) if number in plan.swept else ({}, {})
        yield ReferenceChunk(moment, prefix, actions, path, others, swept, swept_ms, dict(run.stage_ms))


def variant_chunks(
    variant: OpenPolicy, differs: Collection[str], policy: OpenPolicy, reference: Sequence[ReferenceChunk], plan: StudyPlan
) -> Iterator[VariantChunk]:
    """One a moment, in order. `differs` names the stages in which the variant is not `policy`, the FP32 one.

    Raises `QuantizationError` when the variant answers numbers that are not finite.
    """
    visit = _Visit(variant, frozenset(differs), policy, plan)
    for number, expected in enumerate(reference):
        yield visit.chunk(number, expected)


@dataclass(frozen=True, slots=True)
class _Visit:
    variant: OpenPolicy
    differs: frozenset[str]
    policy: OpenPolicy
    plan: StudyPlan

    @property
    def _last_differs(self) -> bool:
        return self.policy.spec.stages[-1].role in self.differs

    @property
    def _prefix_differs(self) -> bool:
        return bool(self.differs - {self.policy.spec.stages[-1].role})

    def chunk(self, number: int, expected: ReferenceChunk) -> VariantChunk:
        """Who goes first changes from chunk to chunk, so that a cold cache slows neither in particular."""
        timed = number < self.plan.timed
        reference_ms = self._reference_ms(expected) if timed and number % 2 else {}
        run, moment = GraphRun(), expected.moment
        prefix = self.variant.prefix(moment.observation, run) if self._prefix_differs else expected.prefix
        actions, path = _planned(self.variant, prefix, moment.noise, self.variant.spec.denoise_steps, run)
        if timed and number % 2 == 0:
            reference_ms = self._reference_ms(expected)
        both = self._prefix_differs and self._last_differs
        alone = _planned(self.policy, prefix, moment.noise, self.policy.spec.denoise_steps)[0] if both else None
        swept = (
            self._sweep(prefix, moment, actions) if number in self.plan.swept and (self.plan.sweeps_all or self.differs_everywhere) else {}
        )
        return VariantChunk(actions, alone, self._flow(expected, path), swept, dict(run.stage_ms), reference_ms)

    @property
    def differs_everywhere(self) -> bool:
        """The sweep is about a policy in one precision; where a stage cannot have it, the others count."""
        return self._last_differs and (self._prefix_differs or len(self.policy.spec.stages) == 1)

    def _reference_ms(self, expected: ReferenceChunk) -> Mapping[str, float]:
        run = GraphRun()
        prefix = self.policy.prefix(expected.moment.observation, run) if self._prefix_differs else expected.prefix
        if self._last_differs:
            _planned(self.policy, prefix, expected.moment.noise, self.policy.spec.denoise_steps, run)
        return dict(run.stage_ms)

    def _flow(self, expected: ReferenceChunk, own: Path | None) -> FlowErrors | None:
        if own is None or expected.path is None or self._prefix_differs or not self._last_differs:
            return None
        return flow_errors(self.variant, self.variant.condition(expected.prefix), expected.path, own, self.plan.unit)

    def _sweep(self, prefix: Tensors, moment: Moment, own: Array) -> Mapping[int, Array]:
        """`own`: the chunk of the checkpoint's own number of steps, which need not be planned again."""
        others = [steps for steps in self.plan.steps if steps != self.variant.spec.denoise_steps]
        swept = {steps: _planned(self.variant, prefix, moment.noise, steps)[0] for steps in others}
        return swept if len(others) == len(self.plan.steps) else {**swept, self.variant.spec.denoise_steps or 0: own}


def _reference_sweep(
    policy: OpenPolicy, prefix: Tensors, moment: Moment, plan: StudyPlan
) -> tuple[Mapping[int, Array], Mapping[int, float]]:
    swept: dict[int, Array] = {}
    spent: dict[int, float] = {}
    for steps in sorted({*plan.steps, LIMIT_STEPS}) if plan.steps else ():
        run = GraphRun()
        swept[steps] = _planned(policy, prefix, moment.noise, steps, run)[0]
        spent[steps] = run.stage_ms[policy.spec.stages[-1].role]
    return swept, spent


def _planned(
    policy: OpenPolicy, prefix: Tensors, noise: Array | None, steps: int | None, run: GraphRun | None = None
) -> tuple[Array, Path | None]:
    """The chunk (T, J) from a prefix on, and its path where there is denoising."""
    context = policy.condition(prefix, run)
    if noise is None or steps is None:
        return _finite(policy.actions(context["actions"][0])), None
    path = follow(policy, context, noise, steps, run)
    return _finite(policy.actions(path.xs[-1])), path


def _finite(actions: Array) -> Array:
    if not np.isfinite(actions).all():
        raise QuantizationError("it answers numbers that are not finite; this variant cannot drive a robot")
    return actions


def _read_by_last_stage(spec: PolicySpec, tensors: Tensors) -> Tensors:
    """Pictures and their features need not be kept for every moment."""
    wanted = {name for graph in spec.stages[-1].graphs for name in graph.inputs}
    return {name: value for name, value in tensors.items() if name in wanted}
