"""The report in sentences, each made from the numbers and nothing else. No number, no sentence.

What happens inside the denoising is `flow_findings`' business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vla_demo.core.formats import percent
from vla_demo.core.labels import stage_label
from vla_demo.evaluation.comparison import BETTER, NOT_DISTINGUISHABLE, WORSE
from vla_demo.evaluation.flow_findings import addition, denoising, iterations
from vla_demo.evaluation.sensitivity import ALL_STAGES, Finding, LayerRow, SensitivityReport, SensitivityRow, Smoothness
from vla_demo.evaluation.sentences import SAME, grouped, listed, number, span, times

__all__ = ["findings"]

FEWEST_LAYERS = 3  # a ranking of fewer says nothing
ROUGHER = 0.1
NOTABLE = 0.2  # times of a dozen chunks on a machine with other work differ by less for no reason


def findings(report: SensitivityReport) -> tuple[Finding, ...]:
    """In the order of the figures."""
    rows = [row for row in report.sensitivity if row.problem is None]
    texts = {
        "heatmap": [*_weakest(rows), *_against_seeds(rows, report), *_verdicts(rows, report), *_refusals(report)],
        "iterations": iterations(report),
        "steps": denoising(report.steps),
        "two_by_two": addition(report.two_by_two),
        "layers": _layers(report.layers),
        "speed": _speed(rows),
        "by_position": _positions(report.by_position),
        "smoothness": _smoothness(report),
    }
    return tuple(Finding(figure, text) for figure, found in texts.items() for text in found)


def _weakest(rows: Sequence[SensitivityRow]) -> Iterator[str]:
    """The most sensitive stage of each precision, and whether the intervals say so too."""
    costs: dict[str, list[tuple[str, float]]] = {}
    for precision in dict.fromkeys(row.precision for row in rows):
        alone = sorted((r for r in rows if r.precision == precision and r.stage != ALL_STAGES), key=_mean_error, reverse=True)
        if len(alone) < 2:
            continue
        worst, runner_up = alone[:2]
        assert worst.error is not None and runner_up.error is not None
        if runner_up.error.mean == 0:
            continue  # float16 of weights that were float16 costs nothing, and nothing has no multiple
        clear = not worst.error.overlaps(runner_up.error)
        phrase = f"{_stage(worst)} costs most{'' if clear else ', though its interval overlaps the next'}"
        costs.setdefault(phrase, []).append((precision, worst.error.mean / runner_up.error.mean))
    for phrase, found in costs.items():
        precisions, factors = zip(*found, strict=True)
        yield f"In {listed(precisions)} {phrase}: {span(factors, '.1f')} times the error of the next stage."


def _against_seeds(rows: Sequence[SensitivityRow], report: SensitivityReport) -> Iterator[str]:
    """The policy's own spread is the yardstick of a policy that starts from noise."""
    spread = report.fp32.seed_spread
    whole = [row for row in rows if row.stage == ALL_STAGES]
    if spread is not None and spread.mean > 0 and whole:
        shares = listed([f"{row.precision} {percent(_mean_error(row) / spread.mean)}" for row in whole])
        own = f"From one seed to the next FP32 itself differs by {number(spread.mean)} standard deviations"
        yield f"{own}; quantizing all stages costs, as a share of that: {shares}."


def _verdicts(rows: Sequence[SensitivityRow], report: SensitivityReport) -> Iterator[str]:
    """Against the recorded actions, which FP32 itself misses."""
    by_verdict = {v: [f"{r.stage} in {r.precision}" for r in rows if r.verdict == v] for v in (NOT_DISTINGUISHABLE, WORSE, BETTER)}
    own = f"FP32 itself is {number(report.fp32.vs_recorded.mean)} standard deviations from the recorded actions"
    if by_verdict[NOT_DISTINGUISHABLE]:
        yield f"{own}; by that distance {len(by_verdict[NOT_DISTINGUISHABLE])} of {len(rows)} variants are not distinguishable from it."
    if by_verdict[WORSE]:
        yield f"Farther from the recording than FP32: {listed(by_verdict[WORSE])}."
    if by_verdict[BETTER]:
        yield f"Closer to the recording than FP32: {listed(by_verdict[BETTER])}; that is no proof of a better policy."


def _refusals(report: SensitivityReport) -> Iterator[str]:
    refused = [f"{row.stage} in {row.precision}" for row in report.sensitivity if row.problem is not None]
    if refused:
        yield f"Refused here, each for a reason that is given: {listed(refused)}."


def _layers(rows: Sequence[LayerRow]) -> Iterator[str]:
    """Whether few layers bring most of it, and whether a layer's own error tells which."""
    for precision in dict.fromkeys(row.precision for row in rows):
        ranked = sorted((row for row in rows if row.precision == precision), key=lambda row: row.action_error.mean, reverse=True)
        if len(ranked) < FEWEST_LAYERS:
            continue
        worst, middle = ranked[0], ranked[len(ranked) // 2]
        yield (
            f"Of {len(ranked)} layers alone in {precision}, {worst.layer} ({worst.stage}) costs most: {number(worst.action_error.mean)} "
            f"standard deviations, {times(worst.action_error.mean, middle.action_error.mean)} the median layer's."
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
    """A smaller graph that is slower is the surprise of this figure."""
    slow: dict[str, list[SensitivityRow]] = {}
    fast: dict[str, list[SensitivityRow]] = {}
    for row in rows:
        if row.stage != ALL_STAGES and row.ms and row.fp32_ms and row.bytes and row.fp32_bytes:
            if row.ms > row.fp32_ms * (1 + NOTABLE) and row.bytes < row.fp32_bytes:
                slow.setdefault(row.precision, []).append(row)
            elif row.ms < row.fp32_ms * (1 - NOTABLE):
                fast.setdefault(row.precision, []).append(row)
    stages = len({row.stage for row in rows if row.stage != ALL_STAGES})
    if slow:
        yield f"Smaller but slower on this machine: {listed(_paces(slow, stages, slower=True))}."
    if fast:
        yield f"Faster than FP32 on this machine: {listed(_paces(fast, stages, slower=False))}."


def _paces(by_precision: Mapping[str, Sequence[SensitivityRow]], stages: int, *, slower: bool) -> Iterator[str]:
    """`every stage in int8w (1.3 to 2.4 times FP32's time)`."""
    for precision, rows in by_precision.items():
        ratios = [float(row.ms or 0) / float(row.fp32_ms or 1) for row in rows]
        how = f"{span(ratios, '.1f')} times FP32's time" if slower else f"{span([1 / r for r in ratios], '.1f')} times as fast"
        yield f"{'every stage' if len(rows) == stages > 1 else listed(_stage(row) for row in rows)} in {precision} ({how})"


def _positions(by_position: Mapping[str, tuple[float, ...]]) -> Iterator[str]:
    factors: dict[str, float] = {}
    for precision, errors in by_position.items():
        third = len(errors) // 3
        if precision != "fp32" and third and sum(errors[:third]) > 0:
            factors[precision] = sum(errors[-third:]) / sum(errors[:third])
    for phrase, precisions in grouped(
        factors, lambda f: "grows" if f > 1 + SAME else "shrinks" if f < 1 - SAME else "keeps its size"
    ).items():
        text = f"The error {phrase} along the chunk in {listed(precisions)}"
        yield f"{text}: the last third is {span([factors[p] for p in precisions], '.1f')} times as far from FP32 as the first."


def _smoothness(report: SensitivityReport) -> Iterator[str]:
    """What differs from FP32 by more than a tenth."""
    measures: Mapping[str, Callable[[Smoothness], float | None]] = {
        "jerk": lambda s: s.jerk,
        "jump from one plan to the next": lambda s: s.boundary_jump,
        "changes of the gripper's direction": lambda s: s.gripper_flips,
    }
    for name, measure in measures.items():
        own, recorded = measure(report.smoothness["fp32"]), measure(report.smoothness["recorded"])
        others = {p: measure(s) for p, s in report.smoothness.items() if p not in ("fp32", "recorded")}
        factors = {p: value / own for p, value in others.items() if own and value is not None}
        changed = [f"{factor:.1f} times in {p}" for p, factor in factors.items() if abs(factor - 1) > ROUGHER]
        if changed:
            yield f"Beside FP32's plans, the {name} {'are' if name.startswith('changes') else 'is'} {listed(changed)}."
        if own and recorded:
            yield f"FP32's own {name}: {times(own, recorded)} the demonstrator's."


def _mean_error(row: SensitivityRow) -> float:
    assert row.error is not None
    return row.error.mean


def _stage(row: SensitivityRow) -> str:
    return f"the {stage_label(row.stage).lower()}"
