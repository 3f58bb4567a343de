"""The report in sentences, each made from the numbers and nothing else. No number, no sentence.

What happens inside the denoising is `flow_findings`' business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from vla_demo.core.formats import percent
from vla_demo.core.labels import precision_label
from vla_demo.evaluation.claims.flow_findings import addition, denoising, iterations
from vla_demo.evaluation.claims.sentences import SAME, grouped, listed, named_precisions, named_stage, number, only, span, times
from vla_demo.evaluation.comparison import BETTER, NOT_DISTINGUISHABLE, WORSE
from vla_demo.evaluation.sensitivity import ALL_STAGES, Finding, LayerRow, SensitivityReport, SensitivityRow, Smoothness

__all__ = ["findings"]

FEWEST_LAYERS = 3  # a ranking of fewer says nothing
ROUGHER = 0.1
NOTABLE = 0.2  # times of a dozen chunks on a machine with other work differ by less for no reason


def findings(report: SensitivityReport) -> tuple[Finding, ...]:
    """In the order of the figures; a function of the report's numbers alone, whatever findings it has."""
    rows = [row for row in report.sensitivity if row.problem is None]
    return (
        *_weakest(rows),
        *_against_seeds(rows, report),
        *_verdicts(rows, report),
        *_refusals(report),
        *iterations(report),
        *denoising(report.steps),
        *addition(report.two_by_two),
        *_layers(report.layers),
        *_speed(rows),
        *_positions(report.by_position),
        *_smoothness(report),
    )


def _weakest(rows: Sequence[SensitivityRow]) -> Iterator[Finding]:
    """The most sensitive stage of each precision, and whether the intervals say so too."""
    costs: dict[tuple[str, bool], dict[str, float]] = {}
    for precision in dict.fromkeys(row.precision for row in rows):
        alone = sorted((r for r in rows if r.precision == precision and r.stage != ALL_STAGES), key=_mean_error, reverse=True)
        if len(alone) < 2:
            continue
        worst, runner_up = alone[:2]
        assert worst.error is not None and runner_up.error is not None
        if runner_up.error.mean == 0:
            continue  # float16 of weights that were float16 costs nothing, and nothing has no multiple
        clear = not worst.error.overlaps(runner_up.error)
        costs.setdefault((worst.stage, clear), {})[precision] = worst.error.mean / runner_up.error.mean
    for (stage, clear), factors in costs.items():
        phrase = f"{named_stage(stage)} costs most{'' if clear else ', though its interval overlaps the next'}"
        text = f"In {named_precisions(factors)} {phrase}: {span([*factors.values()], '.1f')} times the error of the next stage."
        yield Finding("heatmap", stage, only([*factors]), text)


def _against_seeds(rows: Sequence[SensitivityRow], report: SensitivityReport) -> Iterator[Finding]:
    """The policy's own spread is the yardstick of a policy that starts from noise."""
    spread = report.fp32.seed_spread
    whole = [row for row in rows if row.stage == ALL_STAGES]
    if spread is not None and spread.mean > 0 and whole:
        shares = listed([f"{precision_label(row.precision)} {percent(_mean_error(row) / spread.mean)}" for row in whole])
        own = f"From one seed to the next FP32 itself differs by {number(spread.mean)} standard deviations"
        yield Finding("heatmap", ALL_STAGES, None, f"{own}; quantizing all stages costs, as a share of that: {shares}.")


def _verdicts(rows: Sequence[SensitivityRow], report: SensitivityReport) -> Iterator[Finding]:
    """Against the recorded actions, which FP32 itself misses."""
    by_verdict = {v: [_variant(row) for row in rows if row.verdict == v] for v in (NOT_DISTINGUISHABLE, WORSE, BETTER)}
    alike, worse, better = by_verdict.values()
    own = f"FP32 itself is {number(report.fp32.vs_recorded.mean)} standard deviations from the recorded actions"
    if alike:
        text = f"{own}; by that distance {len(alike)} of {len(rows)} variants are not distinguishable from it."
        yield Finding("heatmap", None, None, text)
    if worse:
        yield Finding("heatmap", None, None, f"Farther from the recording than FP32: {listed(worse)}.")
    if better:
        text = f"Closer to the recording than FP32: {listed(better)}; that is no proof of a better policy."
        yield Finding("heatmap", None, None, text)


def _refusals(report: SensitivityReport) -> Iterator[Finding]:
    refused = [_variant(row) for row in report.sensitivity if row.problem is not None]
    if refused:
        yield Finding("heatmap", None, None, f"Refused here, each for a reason that is given: {listed(refused)}.")


def _layers(rows: Sequence[LayerRow]) -> Iterator[Finding]:
    """Whether few layers bring most of it, and whether a layer's own error tells which."""
    for precision in dict.fromkeys(row.precision for row in rows):
        ranked = sorted((row for row in rows if row.precision == precision), key=lambda row: row.action_error.mean, reverse=True)
        if len(ranked) < FEWEST_LAYERS:
            continue
        worst, middle, label = ranked[0], ranked[len(ranked) // 2], precision_label(precision)
        cost = f"{number(worst.action_error.mean)} standard deviations, {times(worst.action_error.mean, middle.action_error.mean)}"
        text = f"Of {len(ranked)} layers alone in {label}, {worst.layer} ({worst.stage}) costs most: {cost} the median layer's."
        yield Finding("layers", worst.stage, precision, text)
        agreement = _rank_correlation([r.own_error for r in ranked], [r.action_error.mean for r in ranked])
        text = (
            f"In {label} a layer's own error {_correlation_phrase(agreement)} its error at the actions (rank correlation {agreement:.2f})."
        )
        yield Finding("layers", None, precision, text)


def _correlation_phrase(agreement: float) -> str:
    return "tells much of" if agreement > 0.7 else "tells little of" if agreement < 0.3 else "tells something of"


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's; ties are broken by order, which continuous errors hardly have."""
    first, second = (np.argsort(np.argsort(values)).astype(np.float64) for values in (a, b))
    return float(np.corrcoef(first, second)[0, 1])


def _speed(rows: Sequence[SensitivityRow]) -> Iterator[Finding]:
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
        text = f"Smaller but slower on this machine: {listed(_speed_phrases(slow, stages, slower=True))}."
        yield Finding("speed", None, only([*slow]), text)
    if fast:
        text = f"Faster than FP32 on this machine: {listed(_speed_phrases(fast, stages, slower=False))}."
        yield Finding("speed", None, only([*fast]), text)


def _speed_phrases(by_precision: Mapping[str, Sequence[SensitivityRow]], stages: int, *, slower: bool) -> Iterator[str]:
    """`every stage in INT8 weights (1.3 to 2.4 times FP32's time)`."""
    for precision, rows in by_precision.items():
        ratios = [float(row.ms or 0) / float(row.fp32_ms or 1) for row in rows]
        how = f"{span(ratios, '.1f')} times FP32's time" if slower else f"{span([1 / r for r in ratios], '.1f')} times as fast"
        where = "every stage" if len(rows) == stages > 1 else listed(named_stage(row.stage) for row in rows)
        yield f"{where} in {precision_label(precision)} ({how})"


def _positions(by_position: Mapping[str, tuple[float, ...]]) -> Iterator[Finding]:
    factors: dict[str, float] = {}
    for precision, errors in by_position.items():
        third = len(errors) // 3
        if precision != "fp32" and third and sum(errors[:third]) > 0:
            factors[precision] = sum(errors[-third:]) / sum(errors[:third])
    for phrase, names in grouped(factors, _growth_phrase).items():
        size = f"{span([factors[name] for name in names], '.1f')} times as far from FP32 as the first"
        text = f"The error {phrase} along the chunk in {named_precisions(names)}: the last third is {size}."
        yield Finding("by_position", ALL_STAGES, only(names), text)


def _growth_phrase(factor: float) -> str:
    return "grows" if factor > 1 + SAME else "shrinks" if factor < 1 - SAME else "keeps its size"


def _smoothness(report: SensitivityReport) -> Iterator[Finding]:
    """What differs from FP32 by more than a tenth."""
    measures: Mapping[str, Callable[[Smoothness], float | None]] = {
        "jerk is": lambda s: s.jerk,
        "jump from one plan to the next is": lambda s: s.boundary_jump,
        "changes of the gripper's direction are": lambda s: s.gripper_flips,
    }
    for phrase, measure in measures.items():
        own, recorded = measure(report.smoothness["fp32"]), measure(report.smoothness["recorded"])
        others = {p: measure(s) for p, s in report.smoothness.items() if p not in ("fp32", "recorded")}
        factors = {p: value / own for p, value in others.items() if own and value is not None}
        changed = {p: factor for p, factor in factors.items() if abs(factor - 1) > ROUGHER}
        if changed:
            text = f"Beside FP32's plans, the {phrase} {listed(f'{x:.1f} times in {precision_label(p)}' for p, x in changed.items())}."
            yield Finding("smoothness", ALL_STAGES, only([*changed]), text)
        if own and recorded:
            name = phrase.rpartition(" ")[0]
            yield Finding("smoothness", None, "fp32", f"FP32's own {name}: {times(own, recorded)} the demonstrator's.")


def _mean_error(row: SensitivityRow) -> float:
    assert row.error is not None
    return row.error.mean


def _variant(row: SensitivityRow) -> str:
    return f"{row.stage} in {precision_label(row.precision)}"
