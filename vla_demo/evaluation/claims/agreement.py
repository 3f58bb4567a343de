"""Does a checkpoint's own trap report agree with what has been claimed? One pure function a claim, from the report to a sentence.

Which claims there are and who made them is `published`'s business.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from vla_demo.core.formats import cosine, percent
from vla_demo.core.labels import precision_label
from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.claims.sentences import named_stage, number
from vla_demo.evaluation.sensitivity import ALL_STAGES, LayerRow, SensitivityReport, SensitivityRow

__all__ = [
    "Agreement",
    "Verdict",
    "demonstration_likes_fewer_steps",
    "errors_accumulate",
    "expert_is_fragile",
    "late_vision_early_language",
    "no_universal_stage",
    "prefix_needs_fp32",
    "smaller_is_not_faster",
    "smoothing_repairs",
    "stages_do_not_add",
]

Verdict = Literal["agrees", "differs", "partly", "cannot tell"]

ALONE = ("vision", "llm", "expert")  # the stages one by one; "all" is their union
TIE = 0.1  # a ratio this close to 1 counts as 1
INTERACTION = 0.2  # of the error of both: the published share in the mildest case
FRAGILE_LAYERS = 10.0  # published: 40 to 70; an order of magnitude is still the same story


@dataclass(frozen=True, slots=True)
class Agreement:
    """What this checkpoint says to a claim."""

    verdict: Verdict
    here: str  # one sentence with the numbers


def _undecided(why: str) -> Agreement:
    return Agreement("cannot tell", why)


def _measured(report: SensitivityReport) -> list[SensitivityRow]:
    """Rows that have numbers; the others say why they have none."""
    return [row for row in report.sensitivity if row.problem is None]


def _cells(report: SensitivityReport) -> dict[tuple[str, str], SensitivityRow]:
    return {(row.stage, row.precision): row for row in _measured(report)}


def _error(row: SensitivityRow) -> Interval:
    assert row.error is not None
    return row.error


def _shared(report: SensitivityReport, needed: Sequence[str]) -> dict[str, dict[str, Interval]]:
    """precision -> stage -> error, for precisions measured in each of the stages `needed`; FP16 rounds too little to rank."""
    found: dict[str, dict[str, Interval]] = {}
    for row in _measured(report):
        if row.stage in ALONE and row.precision != "fp16":
            found.setdefault(row.precision, {})[row.stage] = _error(row)
    return {precision: stages for precision, stages in found.items() if set(needed) <= set(stages)}


def _worst(stages: Mapping[str, Interval]) -> str | None:
    """The stage whose error lies above every other's interval; None when the intervals overlap."""
    top = max(stages, key=lambda stage: stages[stage].mean)
    others = [interval.high for stage, interval in stages.items() if stage != top]
    return top if all(stages[top].low > high for high in others) else None


def expert_is_fragile(report: SensitivityReport) -> Agreement:
    ranked = {precision: _worst(stages) for precision, stages in _shared(report, ["vision", "expert"]).items()}
    if not ranked:
        return _undecided("No precision was measured on the expert and on another stage.")
    expert = [precision for precision, worst in ranked.items() if worst == "expert"]
    others = [f"{named_stage(worst)} in {precision_label(p)}" for p, worst in ranked.items() if worst not in (None, "expert")]
    open_ = [precision_label(precision) for precision, worst in ranked.items() if worst is None]
    here = f"The expert is clearly the worst stage in {len(expert)} of {len(ranked)} precisions"
    here += f"; worse than it: {', '.join(others)}" if others else ""
    here += f"; not distinguishable in {', '.join(open_)}" if open_ else ""
    degraded = sum(_cells(report)["expert", precision].verdict == "worse" for precision in ranked)
    here += f". Against the recorded actions it is worse than FP32 in {degraded} of {len(ranked)}"
    ranking = _verdict_of(len(expert), len(ranked))
    return Agreement("partly" if ranking == "agrees" and not degraded else ranking, f"{here}.")


def prefix_needs_fp32(report: SensitivityReport) -> Agreement:
    cells = _cells(report)
    if ("llm", "int8") not in cells or ("expert", "int8") not in cells:
        return _undecided("This policy has no language backbone, or it was not measured in INT8.")
    llm, expert = _error(cells["llm", "int8"]), _error(cells["expert", "int8"])
    here = f"INT8 costs {number(llm.mean)} in the backbone and {number(expert.mean)} in the expert"
    if llm.low > expert.high:
        return Agreement("agrees", f"{here}: the backbone is the one to keep.")
    if expert.low > llm.high:
        return Agreement("differs", f"{here}: the expert is the one to keep.")
    return Agreement("partly", f"{here}: not distinguishable, so neither deserves FP32 more.")


def no_universal_stage(report: SensitivityReport) -> Agreement:
    ranked = {precision: _worst(stages) for precision, stages in _shared(report, ["vision", "expert"]).items()}
    clear = {precision: worst for precision, worst in ranked.items() if worst}
    if len(ranked) < 2:
        return _undecided("It takes at least two precisions measured in every stage.")
    named = {stage: [precision_label(p) for p, worst in clear.items() if worst == stage] for stage in dict.fromkeys(clear.values())}
    here = "; ".join(f"{named_stage(stage)} is worst in {', '.join(precisions)}" for stage, precisions in named.items())
    if len(named) == 1 and len(clear) == len(ranked):
        return Agreement("differs", f"On this checkpoint one stage is worst at every precision: {here}.")
    open_ = ", ".join(precision_label(p) for p, worst in ranked.items() if not worst)
    here += f"{'; ' if here else ''}none stands out in {open_}" if open_ else ""
    if len(named) == 1:
        return Agreement("partly", f"Where a stage stands out here it is always the same: {here}.")
    return Agreement("agrees", f"The weakest stage changes with the precision: {here}.")


def smoothing_repairs(report: SensitivityReport) -> Agreement:
    cells = _cells(report)
    plain, smooth = cells.get(("expert", "int8")), cells.get(("expert", "int8-smooth"))
    if plain is None or smooth is None:
        return _undecided("The expert was not measured in both INT8 and INT8 smooth.")
    before, after = plain.min_cosine or 0.0, smooth.min_cosine or 0.0
    here = f"Least cosine {cosine(before)} plain, {cosine(after)} smoothed"
    if report.family != "smolvla":
        return _undecided(f"The claim is about SmolVLA. {here} on this policy's expert.")
    better = _error(smooth).high < _error(plain).low
    helped = f"error {number(_error(plain).mean)} to {number(_error(smooth).mean)}"
    if before >= 0.99:
        return Agreement(
            "differs", f"{here}: plain INT8 does not fail on this checkpoint; smoothing {'helps' if better else 'changes'} ({helped})."
        )
    return Agreement("agrees" if after >= 0.999 else "partly", f"{here} ({helped}).")


def errors_accumulate(report: SensitivityReport) -> Agreement:
    amplification = {p: float(values[-1]) for p, values in report.amplification.items() if values and values[-1] is not None}
    if not amplification:
        return _undecided("This policy does not denoise: it has no iterations over which an error could accumulate.")
    listed = ", ".join(f"{precision_label(p)} {value:.2f}×" for p, value in amplification.items())
    here = f"Left alone, the errors of all iterations would add up to 1×; in the loop they become {listed}"
    growing = sum(value > 1 - TIE for value in amplification.values())
    endings = {0: "the loop contracts them", len(amplification): "the loop does not calm them"}
    ending = endings.get(growing, "it depends on the precision")
    return Agreement(_verdict_of(growing, len(amplification)), f"{here}: {ending}.")


def stages_do_not_add(report: SensitivityReport) -> Agreement:
    misses = {pair.precision: pair.residual for pair in report.two_by_two if pair.residual is not None}
    if not misses:
        return _undecided("The two halves were not measured together.")
    listed = ", ".join(f"{percent(miss)} in {precision_label(p)}" for p, miss in misses.items())
    apart = sum(miss >= INTERACTION for miss in misses.values())
    ending = "each half can be judged by itself" if apart == 0 else "measure both together"
    first = "prefix" if report.per_iteration else "vision"
    return Agreement(
        _verdict_of(apart, len(misses)),
        f"Added as vectors, chunk by chunk, the errors of {first} and expert miss the error of both by {listed}: {ending}.",
    )


def late_vision_early_language(report: SensitivityReport) -> Agreement:
    measured = dict.fromkeys(layer.precision for layer in report.layers)
    precision = "int8" if "int8" in measured else next(iter(measured), None)
    layers = [layer for layer in report.layers if layer.precision == precision]
    fragile = [layer.action_error.mean for layer in layers if _depth(layer, layers) in (("vision", "late"), ("llm", "early"))]
    expert = [layer.action_error.mean for layer in layers if layer.stage == "expert"]
    if precision is None or not fragile or not expert or not any(layer.stage == "llm" for layer in layers):
        return _undecided("It takes layers of the vision encoder, the language backbone and the expert.")
    ratio = median(fragile) / median(expert) if median(expert) > 0 else math.inf
    here = f"In {precision_label(precision)} late vision and early language layers cost {ratio:.2g} times the expert's"
    here += f" (medians of {len(fragile)} and {len(expert)} layers)"
    if precision != "int8":
        return _undecided(f"The claim is about 8-bit activations. {here}.")
    return Agreement("agrees" if ratio >= FRAGILE_LAYERS else "partly" if ratio > 1 + TIE else "differs", f"{here}.")


def smaller_is_not_faster(report: SensitivityReport) -> Agreement:
    measured = [row for row in _measured(report) if (row.bytes or 0) < (row.fp32_bytes or 0) and row.stage != ALL_STAGES]
    slower = [row for row in measured if (row.ms or 0.0) > (row.fp32_ms or 0.0) * (1 + TIE)]
    if not measured:
        return _undecided("No smaller graph was timed.")
    here = f"{len(slower)} of {len(measured)} smaller graphs are slower than FP32 on the machine that computed this"
    return Agreement("agrees" if slower else "differs", f"{here}.")


def demonstration_likes_fewer_steps(report: SensitivityReport) -> Agreement:
    steps = sorted(report.steps, key=lambda row: row.steps)
    if len(steps) < 2:
        return _undecided("This policy does not denoise, or only one number of steps was measured.")
    few, many = steps[0], steps[-1]
    here = (
        f"Error against the demonstration: {number(few.vs_recorded.mean)} with {few.steps}, "
        f"{number(many.vs_recorded.mean)} with {many.steps} steps"
    )
    if many.vs_recorded.low > few.vs_recorded.high:
        return Agreement("agrees", f"{here}: it rises, which alone says nothing about success.")
    if many.vs_recorded.high < few.vs_recorded.low:
        return Agreement("differs", f"{here}: it falls.")
    return _undecided(f"{here}: not distinguishable.")


def _depth(layer: LayerRow, layers: Sequence[LayerRow]) -> tuple[str, str]:
    """The stage of a layer and which half of it the layer is in, by the order of the report's block numbers."""
    blocks = [block for other in layers if other.stage == layer.stage and (block := _block(other.layer)) is not None]
    own = _block(layer.layer)
    if own is None or not blocks:
        return layer.stage, "outside"
    return layer.stage, "late" if own > max(blocks) / 2 else "early"


def _block(name: str) -> int | None:
    """12 of `layers.12.mlp.down_proj`; None for a layer outside the blocks."""
    return next((int(part) for part in name.split(".") if part.isdigit()), None)


def _verdict_of(n: int, of: int) -> Verdict:
    return "agrees" if n == of else "differs" if n == 0 else "partly"
