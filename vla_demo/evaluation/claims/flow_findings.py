"""What happens inside the denoising, in sentences made from the numbers: does the loop amplify, do steps and stages add up?"""

import math
from collections.abc import Iterator, Mapping, Sequence

from vla_demo.core.formats import count
from vla_demo.core.labels import precision_label
from vla_demo.evaluation.claims.sentences import SAME, grouped, listed, named_precisions, number, only, span
from vla_demo.evaluation.sensitivity import ALL_STAGES, Finding, Numbers, SensitivityReport, StepRow, TwoByTwo

__all__ = ["addition", "denoising", "iterations"]

FAITHFUL = 0.5  # a residual under half of the error


def iterations(report: SensitivityReport) -> Iterator[Finding]:
    """Of every expert precision that errs at all."""
    steps, chance = report.denoise_steps or 1, (report.denoise_steps or 1) ** -0.5
    factors, directions = _last_values(report.amplification), _last_values(report.coherence)
    for phrase, names in grouped(factors, _loop_verb).items():
        wrong = f"what the steps of an expert in {named_precisions(names)} get wrong"
        yield _expert_finding(names, f"The loop {phrase} {wrong}: amplification {_span_of(factors, names)} after {steps} steps.")
    for phrase, names in grouped(directions, lambda c: _direction_phrase(c, chance)).items():
        numbers = f"coherence {_span_of(directions, names)}; {chance:.2f} would be chance"
        yield _expert_finding(names, f"In {named_precisions(names)} the steps {phrase} ({numbers}).")
    growth = {n: e.teacher_forced[-1] / e.teacher_forced[0] for n, e in report.per_iteration.items() if e.teacher_forced[0] > 0}
    for phrase, names in grouped(growth, _size_phrase).items():
        text = f"The last step's fresh error is {phrase} the first's in {named_precisions(names)}"
        yield _expert_finding(names, f"{text}: {span([growth[n] for n in names], '.1f')} times.")


def _expert_finding(precisions: Sequence[str], text: str) -> Finding:
    return Finding("iterations", "expert", only(precisions), text)


def denoising(rows: Sequence[StepRow]) -> Iterator[Finding]:
    """What fewer steps cost beside what a precision costs."""
    if not rows:
        return
    cheaper: list[str] = []
    for precision in rows[0].quantization:
        crossing = next((r for r in rows if r.solver.mean < r.quantization[precision].mean), None)
        if crossing is None:
            cheaper.append(precision)
            continue
        sizes = f"{number(crossing.quantization[precision].mean)} against {number(crossing.solver.mean)}"
        text = f"From {count(crossing.steps, 'step')} on, {_swept_names(precision)} costs more than the steps that are saved: {sizes}."
        stage, _, alone = precision.rpartition("=")
        yield Finding("steps", stage or ALL_STAGES, alone, text)
    if cheaper:
        text = f"At every number of steps up to {rows[-1].steps}, saving steps costs more than {_swept_names(*cheaper)}."
        yield Finding("steps", None, only(cheaper), text)
    if rows[0].vs_recorded.mean < rows[-1].vs_recorded.mean * (1 - SAME):
        text = (
            f"The recording is closer with {rows[0].steps} than with {count(rows[-1].steps, 'step')}: few steps lean to the average "
            f"demonstration, which this distance rewards and a robot need not."
        )
        yield Finding("steps", None, "fp32", text)


def _swept_names(*names: str) -> str:
    everywhere = [name for name in names if "=" not in name]
    alone = [precision_label(name) for name in names if "=" in name]
    return listed([*([f"{named_precisions(everywhere)} in all stages"] if everywhere else []), *alone])


def addition(squares: Sequence[TwoByTwo]) -> Iterator[Finding]:
    """Which part brings more, and whether the parts add up."""
    yield from _larger_part(squares)
    ratios = {s.precision: s.ratio for s in squares if s.ratio is not None}
    unrelated = {s.precision: _unrelated_ratio(s) for s in squares if s.ratio is not None}
    for phrase, names in grouped(ratios, _sum_phrase).items():
        numbers = f"ratio {_span_of(ratios, names)}; unrelated errors would give {_span_of(unrelated, names)}"
        yield _addition_finding(names, f"prefix and expert together are {phrase} ({numbers}).")
    residuals = {s.precision: s.residual for s in squares if s.residual is not None}
    for phrase, names in grouped(residuals, lambda r: "predict" if r < FAITHFUL else "do not predict").items():
        added = f"the two errors, added as vectors chunk by chunk, {phrase} the error of both together"
        yield _addition_finding(names, f"{added} (residual {_span_of(residuals, names)}).")


def _larger_part(squares: Sequence[TwoByTwo]) -> Iterator[Finding]:
    both = [s for s in squares if s.prefix.mean > 0 and s.expert.mean > 0]
    alike = [s.precision for s in both if s.expert.overlaps(s.prefix)]
    shares = {s.precision: s.expert.mean / s.prefix.mean for s in both if s.precision not in alike}
    for phrase, names in grouped(shares, lambda s: "expert" if s > 1 else "prefix").items():
        factors = [shares[n] if phrase == "expert" else 1 / shares[n] for n in names]
        yield _addition_finding(names, f"the {phrase} brings more of the error: {span(factors, '.1f')} times the other part's.")
    if alike:
        yield _addition_finding(alike, "neither clearly brings more of the error: the intervals of prefix and expert overlap.")


def _addition_finding(precisions: Sequence[str], text: str) -> Finding:
    return Finding("two_by_two", None, only(precisions), f"In {named_precisions(precisions)} {text}")


def _loop_verb(factor: float) -> str:
    return "amplifies" if factor > 1 + SAME else "contracts" if factor < 1 - SAME else "passes on as it is"


def _direction_phrase(coherence: float, chance: float) -> str:
    return "err in much the same direction" if coherence > (1 + chance) / 2 else "partly cancel"


def _size_phrase(growth: float) -> str:
    return "larger than" if growth > 1 + SAME else "smaller than" if growth < 1 - SAME else "as large as"


def _unrelated_ratio(square: TwoByTwo) -> float:
    """The ratio of two errors of these sizes at right angles."""
    sizes = (square.prefix.mean, square.expert.mean)
    return math.hypot(*sizes) / sum(sizes)


def _span_of(values: Mapping[str, float], names: Sequence[str]) -> str:
    return span([values[name] for name in names], ".2f")


def _sum_phrase(ratio: float) -> str:
    return "worse than their sum" if ratio > 1 + SAME else "less than their sum" if ratio < 1 - SAME else "their sum"


def _last_values(figures: Mapping[str, Numbers]) -> dict[str, float]:
    return {name: last for name, numbers in figures.items() if (last := numbers[-1]) is not None}
