"""The verb of the trap: what each precision of each stage costs a policy, over recorded episodes, as one report.

A generator of progress that ends with the report; closing it stops the work between two chunks.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vla_demo.core.demo import find_demo
from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import MAX_DENOISE_STEPS, REFERENCE_PRECISION, Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.claims.findings import findings
from vla_demo.evaluation.conclusions import Conclusions, Question, Subject, VariantAnswer
from vla_demo.evaluation.fingerprint import RunFingerprint, fingerprint_run
from vla_demo.evaluation.flow import ActionUnit
from vla_demo.evaluation.sensitivity import ALL_STAGES, REPORT_VERSION, Bootstrap, Computed, LayerRow, SensitivityReport
from vla_demo.evaluation.study import Moment, ReferenceChunk, StudyPlan, reference_chunks, variant_chunks
from vla_demo.quantization.calibration import digest_observations
from vla_demo.runtime import ExportedPolicy, open_policy
from vla_demo.workbench.datasets import check_fit
from vla_demo.workbench.machine import machine
from vla_demo.workbench.preparation import action_scale, prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.sensitivity.layers import layer_rows
from vla_demo.workbench.sensitivity.plan import (
    DEFAULT_STEPS,
    SensitivityRequest,
    check_episodes,
    moments_of,
    question_about,
    standard_precisions,
)

__all__ = ["SensitivityStudy"]

TIMED_CHUNKS = 12  # of each variant, in turns with FP32
UNIT = "standard deviations of the action, by the {source}'s statistics"
LIBRARIES = ("numpy", "onnxruntime", "tokenizers", "av")  # that decide what is computed


@dataclass(frozen=True, slots=True)
class SensitivityStudy:
    """One study of a prepared package. `steps` may be asked more than once; each time it starts anew."""

    request: SensitivityRequest
    package: PolicyPackage
    dataset: Dataset

    def check(self) -> None:
        """Raise `InvalidInput` for anything in the request that does not fit, before anything is computed."""
        check_fit(self.dataset, self.package.spec)
        check_episodes(self.dataset, self.request.episodes)
        if self.request.observations_per_episode < 1:
            raise InvalidInput("at least one observation of each episode is needed")
        if self.request.steps and self.package.spec.denoise_steps is None:
            raise InvalidInput(f"{self.package.spec.family} does not denoise, so it takes no --steps")
        wrong = [n for n in self.request.steps if not 1 <= n <= MAX_DENOISE_STEPS]
        if wrong:
            raise InvalidInput(f"steps {wrong[0]} is out of range; valid: 1 to {MAX_DENOISE_STEPS}")
        for text in self.request.variants:
            question_about(Variant.parse(text, self.package.spec), self.package.spec)
        if REFERENCE_PRECISION in self.request.layers:
            raise InvalidInput(f"a layer in {REFERENCE_PRECISION} is what it is compared with; name another precision, such as int8")

    def steps(self) -> Iterator[Preparing | SensitivityReport]:
        """Progress, then the report. A variant that cannot be becomes a row that says why. Raises `InvalidInput`, `PackageError`."""
        self.check()
        began = time.monotonic()
        yield Preparing("Reading the episodes", 0.0)
        moments = list(moments_of(self.dataset, self.package.spec, self.request))
        policy = open_policy(self.package.folder)
        policy.load()
        scale = action_scale(self.package, self.dataset, self.dataset.episode(moments[0].episode))
        subject = Subject(self.package.spec, scale, self.dataset.fps, policy.graphs)
        plan = self._plan(policy, subject, moments)
        meter = _Meter(len(moments), 1 + self._count() + bool(self.request.layers))
        reference = yield from meter.collected("FP32", reference_chunks(policy, moments, plan))
        bench = _Bench(self.package, self.dataset, policy, reference, plan)
        answers: list[VariantAnswer] = []
        for question in self._questions(answers):
            answers.append((yield from bench.answer(question, meter)))
        layers: tuple[LayerRow, ...] = ()
        if self.request.layers:
            layers = yield from meter.round(layer_rows(self.package, self.dataset, moments, scale, self.request.layers))
        computed = Computed(_now(), machine(), time.monotonic() - began, self._fingerprint(moments, answers))
        report = self._report(Conclusions(subject, reference), answers, subject, computed)
        report = replace(report, layers=layers).rounded()
        yield replace(report, findings=findings(report))

    def _plan(self, policy: ExportedPolicy, subject: Subject, moments: Sequence[Moment]) -> StudyPlan:
        """The sweep over denoising steps costs many chunks: one moment of each episode has to do."""
        first = {moment.episode: number for number, moment in reversed(list(enumerate(moments)))}
        steps = (self.request.steps or DEFAULT_STEPS) if subject.spec.denoise_steps is not None else ()
        named = bool(self.request.variants)  # whoever names a stage alone wants to see it swept
        unit = ActionUnit.of(policy, subject.scale.std)
        return StudyPlan(unit, tuple(sorted(set(steps))), set(first.values()), TIMED_CHUNKS, named)

    def _questions(self, answers: Sequence[VariantAnswer]) -> Iterator[Question]:
        """Looks at the answers so far: all stages together are asked for what each of them could have."""
        spec = self.package.spec
        for text in self.request.variants:
            yield question_about(Variant.parse(text, spec), spec)
        for precision in () if self.request.variants else standard_precisions():
            for stage in spec.stages:
                yield question_about(Variant.of(spec, {stage.role: precision}), spec)
            able = [a.question.stage for a in answers if a.question.precision == precision and a.problem is None]
            if able:
                question = question_about(Variant.of(spec, dict.fromkeys(able, precision)), spec)
                yield replace(question, stage=ALL_STAGES)

    def _count(self) -> int:
        return len(self.request.variants) or len(standard_precisions()) * (1 + len(self.package.spec.stages))

    def _report(self, found: Conclusions, answers: Sequence[VariantAnswer], subject: Subject, computed: Computed) -> SensitivityReport:
        spec, episodes = self.package.spec, self.request.episodes or tuple(e.index for e in self.dataset.episodes)
        return SensitivityReport(
            version=REPORT_VERSION,
            policy=self.request.policy,
            family=spec.family,
            checkpoint=spec.checkpoint,
            revision=spec.revision,
            denoise_steps=spec.denoise_steps,
            chunk_size=spec.chunk_size,
            fps=subject.fps,
            computed=computed,
            dataset=_named(self.dataset),
            episodes=episodes,
            n_episodes=len(episodes),
            n_observations=found.n_observations,
            unit=UNIT.format(source=subject.scale.source),
            bootstrap=Bootstrap(),
            seed=self.request.seed,
            fp32=found.reference_facts(),
            sensitivity=tuple(found.row(answer) for answer in answers),
            per_iteration=found.iterations(answers),
            amplification=found.amplification(answers),
            coherence=found.coherence(answers),
            two_by_two=found.two_by_two(answers),
            steps=found.steps(answers),
            by_position=found.by_position(answers),
            layers=(),
            smoothness=found.smoothness(answers),
            findings=(),
        )

    def _fingerprint(self, moments: Sequence[Moment], answers: Sequence[VariantAnswer]) -> RunFingerprint:
        spec = self.package.spec
        variants = [Variant.reference(spec), *(Variant.parse(a.question.variant, spec) for a in answers if a.problem is None)]
        request = replace(self.request, steps=self.request.steps or DEFAULT_STEPS)
        settings = {name: value for name, value in asdict(request).items() if name != "policy"}
        settings["observed"] = digest_observations(moment.observation for moment in moments)
        return fingerprint_run(self.package, variants, settings, module=__name__, libraries=LIBRARIES)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _named(dataset: Dataset) -> str:
    """Without the path of this machine."""
    demo = find_demo()
    if demo is not None and dataset.folder == demo.episodes:
        return "the bundled episodes"
    return Path(dataset.name).name if Path(dataset.name).is_absolute() else dataset.name


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where variants are put beside FP32; only one variant's graphs and FP32's are in memory."""

    package: PolicyPackage
    dataset: Dataset
    policy: ExportedPolicy
    reference: Sequence[ReferenceChunk]
    plan: StudyPlan

    def answer(self, question: Question, meter: "_Meter") -> Generator[Preparing, None, VariantAnswer]:
        variant = Variant.parse(question.variant, self.package.spec)
        try:
            yield from meter.passed_on(prepare_variant(self.package, variant, self.dataset))
            opened = open_policy(self.package.folder, variant)
            opened.load()
            asked = variant_chunks(opened, question.differs, self.policy, self.reference, self.plan)
            chunks = yield from meter.collected(f"{question.stage} in {question.precision}", asked)
        except (QuantizationError, InvalidInput) as problem:  # InvalidInput: a scheme that this stage or dataset cannot serve
            meter.skip()
            reason = problem.reason if isinstance(problem, QuantizationError) else str(problem)
            # A report is shared: where the package lies on this machine is nobody's business.
            return VariantAnswer(question, (), (), reason.replace(str(self.package.folder), self.package.spec.checkpoint))
        return VariantAnswer(question, opened.graphs, chunks)


@dataclass(slots=True)
class _Meter:
    """How far the whole study has come."""

    moments: int
    rounds: int  # FP32's, one a variant, and the layers'
    done: int = 0  # rounds

    def collected[Chunk](self, label: str, chunks: Iterable[Chunk]) -> Generator[Preparing, None, list[Chunk]]:
        """A round."""
        found: list[Chunk] = []
        for chunk in chunks:
            found.append(chunk)
            yield Preparing(f"{label} ({len(found)} of {self.moments})", (self.done + len(found) / self.moments) / self.rounds)
        self.done += 1
        return found

    def passed_on(self, steps: Iterable[Preparing]) -> Iterator[Preparing]:
        """What is prepared for a round."""
        for step in steps:
            yield Preparing(step.text, self.done / self.rounds)

    def round[Result](self, steps: Generator[Preparing, None, Result]) -> Generator[Preparing, None, Result]:
        """A round that tells itself how far it is."""
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                self.done += 1
                result: Result = end.value
                return result
            yield Preparing(step.text, (self.done + (step.fraction or 0.0)) / self.rounds)

    def skip(self) -> None:
        """A round that cannot be."""
        self.done += 1
