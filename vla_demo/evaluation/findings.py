"""The report in sentences, one a finding, each made from the numbers and nothing else. No number, no sentence."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vla_demo.core.policy import ROLE_LABELS
from vla_demo.evaluation.comparison import BETTER, NOT_DISTINGUISHABLE, WORSE
from vla_demo.evaluation.trap import ALL_STAGES, Finding, LayerRow, Numbers, SensitivityRow, StepRow, TrapReport, TwoByTwo

__all__ = ["findings"]

SAME = 0.05  # ratios within five percent of 1 are called about equal


def findings(report: TrapReport) -> tuple[Finding, ...]:
    """In the order of the figures."""
    rows = [row for row in report.sensitivity if row.problem is None]
    texts = {
        "heatmap": [*_weakest(rows), *_against_seeds(rows, report), *_verdicts(rows, report), *_refusals(report)],
        "iterations": _iterations(report),
        "steps": _steps(report.steps),
        "two_by_two": [_addition(square) for square in report.two_by_two],
        "layers": _layers(report.layers),
        "speed": _speed(rows),
        "by_position": _positions(report.by_position),
        "smoothness": _smoothness(report),
    }
    return tuple(Finding(figure, text) for figure, found in texts.items() for text in found)


def _weakest(rows: Sequence[SensitivityRow]) -> Iterator[str]:
    """The most sensitive stage of each precision, and whether the intervals say so too."""
    for precision in dict.fromkeys(row.precision for row in rows):
        alone = [row for row in rows if row.precision == precision and row.stage != ALL_STAGES]
        if len(alone) < 2:
            continue
        worst, next_worst = sorted(alone, key=_mean_error, reverse=True)[:2]
        assert worst.error is not None and next_worst.error is not None
        text = f"In {precision}, {_stage(worst)} costs most: {_number(worst.error.mean)} standard deviations of action error"
        factor = _times(worst.error.mean, next_worst.error.mean)
        tail = "; their intervals overlap" if worst.error.overlaps(next_worst.error) else ""
        yield f"{text}, {factor} {_stage(next_worst)}'s{tail} (n = {worst.n_observations})."


def _against_seeds(rows: Sequence[SensitivityRow], report: TrapReport) -> Iterator[str]:
    """The policy's own spread is the yardstick of a policy that starts from noise."""
    spread = report.fp32.seed_spread
    whole = [row for row in rows if row.stage == ALL_STAGES]
    if spread is not None and whole:
        shares = ", ".join(f"{row.precision} {_mean_error(row) / spread.mean:.0%}" for row in whole)
        own = f"From one seed to the next FP32 itself differs by {_number(spread.mean)} standard deviations"
        yield f"{own}; of that, all stages together cost {shares}."


def _verdicts(rows: Sequence[SensitivityRow], report: TrapReport) -> Iterator[str]:
    """Against the recorded actions, which FP32 itself misses."""
    by_verdict = {v: [f"{r.stage} in {r.precision}" for r in rows if r.verdict == v] for v in (NOT_DISTINGUISHABLE, WORSE, BETTER)}
    own = f"FP32 itself is {_number(report.fp32.vs_recorded.mean)} standard deviations from the recorded actions"
    if by_verdict[NOT_DISTINGUISHABLE]:
        yield f"{own}; {len(by_verdict[NOT_DISTINGUISHABLE])} of {len(rows)} variants are not distinguishable from it."
    if by_verdict[WORSE]:
        yield f"Worse than FP32 against the recording: {', '.join(by_verdict[WORSE])}."
    if by_verdict[BETTER]:
        yield f"Closer to the recording than FP32: {', '.join(by_verdict[BETTER])}; that is no proof of a better policy."


def _refusals(report: TrapReport) -> Iterator[str]:
    refused = [f"{row.stage} in {row.precision}" for row in report.sensitivity if row.problem is not None]
    if refused:
        yield f"Not possible here: {', '.join(refused)}."


def _iterations(report: TrapReport) -> Iterator[str]:
    for precision, errors in report.per_iteration.items():
        final, steps = errors.free_running[-1], len(errors.teacher_forced)
        factor = report.amplification[precision][-1]
        if factor is None:
            yield f"An expert in {precision} makes no error at all here."
            continue
        way = f"{_loop(factor)}{_alignment(report, precision)}"
        yield f"Expert in {precision}: after {steps} steps the actions are {_number(final)} off; {way}."


def _loop(factor: float) -> str:
    if abs(factor - 1) < SAME:
        return f"the loop passes errors on as they are (amplification {factor:.2f})"
    return f"the loop {'amplifies' if factor > 1 else 'contracts'} them (amplification {factor:.2f})"


def _alignment(report: TrapReport, precision: str) -> str:
    """Between a random walk's 1/sqrt(N) and 1 lies how biased the steps are."""
    numbers: Numbers = report.coherence[precision]
    last = numbers[-1]
    if last is None:
        return ""
    random = len(numbers) ** -0.5
    kind = "err in much the same direction" if last > (1 + random) / 2 else "partly cancel"
    return f", and its steps {kind} (coherence {last:.2f}; {random:.2f} would be chance)"


def _steps(rows: Sequence[StepRow]) -> Iterator[str]:
    for precision in rows[0].quantization if rows else ():
        enough = [r for r in rows if r.solver.mean < r.quantization[precision].mean]
        if enough:
            first = enough[0]
            yield (
                f"From {first.steps} {'step' if first.steps == 1 else 'steps'} on, {precision} costs more than the steps that are saved: "
                f"{_number(first.quantization[precision].mean)} against {_number(first.solver.mean)} from the solver."
            )
        else:
            yield f"At every number of steps up to {rows[-1].steps}, saving steps costs more than {precision} in all stages."
    fewest, most = (rows[0], rows[-1]) if rows else (None, None)
    if fewest is not None and most is not None and fewest.vs_recorded.mean < most.vs_recorded.mean:
        yield (
            f"The distance to the recording is smaller with {fewest.steps} than with {most.steps} steps: fewer steps lean to the average "
            f"demonstration, which this distance rewards and a robot need not."
        )


def _addition(square: TwoByTwo) -> str:
    larger = "prefix" if square.prefix.mean > square.expert.mean else "expert"
    sizes = sorted((square.prefix.mean, square.expert.mean))
    text = f"In {square.precision} the {larger} brings more of the error, {_times(sizes[1], sizes[0])} the other part's"
    if square.ratio is None:
        return f"{text}."
    together = f"together they are {'less' if square.ratio < 1 else 'worse'} than their sum"
    kind = "they add" if abs(square.ratio - 1) < SAME else together
    return f"{text}; {kind} (ratio {square.ratio:.2f})."


def _layers(rows: Sequence[LayerRow]) -> Iterator[str]:
    """Whether few layers bring most of it, and whether a layer's own error tells which."""
    for precision in dict.fromkeys(row.precision for row in rows):
        ranked = sorted((row for row in rows if row.precision == precision), key=lambda row: row.action_error.mean, reverse=True)
        if len(ranked) < 3:
            continue
        worst, middle = ranked[0], ranked[len(ranked) // 2]
        yield (
            f"Of {len(ranked)} layers alone in {precision}, {worst.layer} ({worst.stage}) costs most: {_number(worst.action_error.mean)} "
            f"standard deviations, {_times(worst.action_error.mean, middle.action_error.mean)} the median layer's."
        )
        agreement = _rank_correlation([r.own_error for r in ranked], [r.action_error.mean for r in ranked])
        yield f"In {precision} a layer's own error {_tells(agreement)} its error at the actions (rank correlation {agreement:.2f})."


def _tells(agreement: float) -> str:
    return "tells much of" if agreement > 0.7 else "tells little of" if agreement < 0.3 else "tells something of"


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's; ties are broken by order, which continuous errors hardly have."""
    first, second = (np.argsort(np.argsort(values)).astype(np.float64) for values in (a, b))
    return float(np.corrcoef(first, second)[0, 1])


def _speed(rows: Sequence[SensitivityRow]) -> Iterator[str]:
    for row in rows:
        if row.stage == ALL_STAGES or row.ms is None or row.fp32_ms is None or row.bytes is None or row.fp32_bytes is None:
            continue
        faster, size = row.fp32_ms / row.ms, f"with {row.bytes / row.fp32_bytes:.0%} of the bytes"
        if faster < 1 - SAME:
            yield _sentence(f"{_stage(row)} in {row.precision} is slower here, {1 / faster:.2f} times FP32's time, {size}.")
        elif faster > 1 + SAME:
            yield _sentence(f"{_stage(row)} in {row.precision} is {faster:.2f} times as fast as FP32 here, {size}.")


def _positions(by_position: Mapping[str, tuple[float, ...]]) -> Iterator[str]:
    for precision, errors in by_position.items():
        third = len(errors) // 3
        if precision != "fp32" and third:
            early, late = (sum(part) / third for part in (errors[:third], errors[-third:]))
            yield f"In {precision} the last third of a chunk is {_times(late, early)} as far from FP32 as the first."


def _smoothness(report: TrapReport) -> Iterator[str]:
    reference = report.smoothness["fp32"].jerk
    for name, found in report.smoothness.items():
        if name not in ("fp32", "recorded") and reference and found.jerk is not None and abs(found.jerk / reference - 1) > SAME:
            yield f"In {name} the plans have {_times(found.jerk, reference)} FP32's jerk."


def _mean_error(row: SensitivityRow) -> float:
    assert row.error is not None
    return row.error.mean


def _stage(row: SensitivityRow) -> str:
    return f"the {ROLE_LABELS.get(row.stage, row.stage).lower()}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def _times(a: float, b: float) -> str:
    return f"{a / b:.1f} times" if b > 0 else "more than"
