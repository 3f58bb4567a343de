"""What happens inside the denoising, in sentences made from the numbers: does the loop amplify, do steps and stages add up?"""

import math
from collections.abc import Iterator, Mapping, Sequence

from vla_demo.evaluation.sensitivity import Numbers, SensitivityReport, StepRow, TwoByTwo
from vla_demo.evaluation.sentences import SAME, grouped, listed, number, span

__all__ = ["addition", "denoising", "iterations"]

FAITHFUL = 0.5  # a residual under half of the error


def iterations(report: SensitivityReport) -> Iterator[str]:
    """Of every expert precision that errs at all."""
    steps, chance = report.denoise_steps or 1, (report.denoise_steps or 1) ** -0.5
    factors, directions = _last(report.amplification), _last(report.coherence)
    for phrase, names in grouped(factors, _loop).items():
        wrong = f"what the steps of an expert in {listed(names)} get wrong"
        yield f"The loop {phrase} {wrong}: amplification {_spread(factors, names)} after {steps} steps."
    for phrase, names in grouped(directions, lambda c: _direction(c, chance)).items():
        yield f"In {listed(names)} the steps {phrase} (coherence {_spread(directions, names)}; {chance:.2f} would be chance)."
    growth = {n: e.teacher_forced[-1] / e.teacher_forced[0] for n, e in report.per_iteration.items() if e.teacher_forced[0] > 0}
    for phrase, names in grouped(growth, _size).items():
        text = f"The last step's fresh error is {phrase} the first's in {listed(names)}"
        yield f"{text}: {span([growth[n] for n in names], '.1f')} times."


def denoising(rows: Sequence[StepRow]) -> Iterator[str]:
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
        yield f"From {_steps(crossing.steps)} on, {_swept(precision)} costs more than the steps that are saved: {sizes}."
    if cheaper:
        yield f"At every number of steps up to {rows[-1].steps}, saving steps costs more than {_swept(*cheaper)}."
    if rows[0].vs_recorded.mean < rows[-1].vs_recorded.mean * (1 - SAME):
        yield (
            f"The recording is closer with {rows[0].steps} than with {_steps(rows[-1].steps)}: few steps lean to the average "
            f"demonstration, which this distance rewards and a robot need not."
        )


def _swept(*names: str) -> str:
    everywhere = [name for name in names if "=" not in name]
    return listed([*([f"{listed(everywhere)} in all stages"] if everywhere else []), *(name for name in names if "=" in name)])


def addition(squares: Sequence[TwoByTwo]) -> Iterator[str]:
    """Which part brings more, and whether the parts add up."""
    both = [s for s in squares if s.prefix.mean > 0 and s.expert.mean > 0]
    alike = [s.precision for s in both if s.expert.overlaps(s.prefix)]
    shares = {s.precision: s.expert.mean / s.prefix.mean for s in both if s.precision not in alike}
    for phrase, names in grouped(shares, lambda s: "expert" if s > 1 else "prefix").items():
        factors = [shares[n] if phrase == "expert" else 1 / shares[n] for n in names]
        yield f"In {listed(names)} the {phrase} brings more of the error: {span(factors, '.1f')} times the other part's."
    if alike:
        yield f"In {listed(alike)} neither clearly brings more of the error: the intervals of prefix and expert overlap."
    ratios = {s.precision: s.ratio for s in squares if s.ratio is not None}
    unrelated = {s.precision: _unrelated(s) for s in squares if s.ratio is not None}
    for phrase, names in grouped(ratios, _sum).items():
        numbers = f"ratio {_spread(ratios, names)}; unrelated errors would give {_spread(unrelated, names)}"
        yield f"In {listed(names)} prefix and expert together are {phrase} ({numbers})."
    residuals = {s.precision: s.residual for s in squares if s.residual is not None}
    for phrase, names in grouped(residuals, lambda r: "predict" if r < FAITHFUL else "do not predict").items():
        yield (
            f"In {listed(names)} the two errors, added as vectors chunk by chunk, {phrase} the error of both together "
            f"(residual {_spread(residuals, names)})."
        )


def _loop(factor: float) -> str:
    return "amplifies" if factor > 1 + SAME else "contracts" if factor < 1 - SAME else "passes on as it is"


def _direction(coherence: float, chance: float) -> str:
    return "err in much the same direction" if coherence > (1 + chance) / 2 else "partly cancel"


def _size(growth: float) -> str:
    return "larger than" if growth > 1 + SAME else "smaller than" if growth < 1 - SAME else "as large as"


def _unrelated(square: TwoByTwo) -> float:
    """The ratio of two errors of these sizes at right angles."""
    sizes = (square.prefix.mean, square.expert.mean)
    return math.hypot(*sizes) / sum(sizes)


def _spread(values: Mapping[str, float], names: Sequence[str]) -> str:
    return span([values[name] for name in names], ".2f")


def _sum(ratio: float) -> str:
    return "worse than their sum" if ratio > 1 + SAME else "less than their sum" if ratio < 1 - SAME else "their sum"


def _last(figures: Mapping[str, Numbers]) -> dict[str, float]:
    return {name: last for name, numbers in figures.items() if (last := numbers[-1]) is not None}


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
