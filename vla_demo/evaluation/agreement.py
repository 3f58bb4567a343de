"""Does a checkpoint's own trap report agree with what has been claimed? One pure function a claim, from the report's JSON to a sentence.

Which claims there are and who made them is `published`'s business.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

__all__ = [
    "Finding",
    "Report",
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

Report = Mapping[str, Any]
Verdict = Literal["agrees", "differs", "partly", "cannot tell"]

ALONE = ("vision", "llm", "expert")  # the stages one by one; "all" is their union
TIE = 0.1  # a ratio this close to 1 counts as 1
INTERACTION = 0.2  # of the error of both: the published share in the mildest case
FRAGILE_LAYERS = 10.0  # published: 40 to 70; an order of magnitude is still the same story


@dataclass(frozen=True, slots=True)
class Finding:
    """What this checkpoint says to a claim."""

    verdict: Verdict
    here: str  # one sentence with the numbers


def _cannot(why: str) -> Finding:
    return Finding("cannot tell", why)


def _measured(report: Report) -> list[Mapping[str, Any]]:
    """Rows that have numbers; the others say why they have none."""
    return [row for row in report["sensitivity"] if row["problem"] is None]


def _cells(report: Report) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["stage"], row["precision"]): row for row in _measured(report)}


def _shared(report: Report, needed: Sequence[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """precision -> stage -> error interval, for precisions measured in each of the stages `needed`; FP16 rounds too little to rank."""
    cells = _cells(report)
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for (stage, precision), cell in cells.items():
        if stage in ALONE and precision != "fp16":
            found.setdefault(precision, {})[stage] = cell["error"]
    return {precision: stages for precision, stages in found.items() if set(needed) <= set(stages)}


def _worst(stages: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The stage whose error lies above every other's interval; None when the intervals overlap."""
    top = max(stages, key=lambda stage: float(stages[stage]["mean"]))
    others = [interval["high"] for stage, interval in stages.items() if stage != top]
    return top if all(stages[top]["low"] > high for high in others) else None


def expert_is_fragile(report: Report) -> Finding:
    ranked = {precision: _worst(stages) for precision, stages in _shared(report, ["vision", "expert"]).items()}
    if not ranked:
        return _cannot("No precision was measured on the expert and on another stage.")
    expert = [precision for precision, worst in ranked.items() if worst == "expert"]
    others = [f"{_stage(worst)} in {_name(precision)}" for precision, worst in ranked.items() if worst not in (None, "expert")]
    open_ = [_name(precision) for precision, worst in ranked.items() if worst is None]
    here = f"The expert is clearly the worst stage in {len(expert)} of {len(ranked)} precisions"
    here += f"; worse than it: {', '.join(others)}" if others else ""
    here += f"; not distinguishable in {', '.join(open_)}" if open_ else ""
    degraded = sum(_cells(report)["expert", precision]["verdict"] == "worse" for precision in ranked)
    here += f". Against the recorded actions it is worse than FP32 in {degraded} of {len(ranked)}"
    ranking = _share(len(expert), len(ranked))
    return Finding("partly" if ranking == "agrees" and not degraded else ranking, f"{here}.")


def prefix_needs_fp32(report: Report) -> Finding:
    cells = _cells(report)
    if ("llm", "int8") not in cells or ("expert", "int8") not in cells:
        return _cannot("This policy has no language backbone, or it was not measured in INT8.")
    llm, expert = cells["llm", "int8"]["error"], cells["expert", "int8"]["error"]
    here = f"INT8 costs {_number(llm['mean'])} in the backbone and {_number(expert['mean'])} in the expert"
    if llm["low"] > expert["high"]:
        return Finding("agrees", f"{here}: the backbone is the one to keep.")
    if expert["low"] > llm["high"]:
        return Finding("differs", f"{here}: the expert is the one to keep.")
    return Finding("partly", f"{here}: not distinguishable, so neither deserves FP32 more.")


def no_universal_stage(report: Report) -> Finding:
    ranked = {precision: _worst(stages) for precision, stages in _shared(report, ["vision", "expert"]).items()}
    clear = {precision: worst for precision, worst in ranked.items() if worst}
    if len(ranked) < 2:
        return _cannot("It takes at least two precisions measured in every stage.")
    named = {stage: [_name(p) for p, worst in clear.items() if worst == stage] for stage in dict.fromkeys(clear.values())}
    here = "; ".join(f"{_stage(stage)} is worst in {', '.join(precisions)}" for stage, precisions in named.items())
    if len(named) == 1 and len(clear) == len(ranked):
        return Finding("differs", f"On this checkpoint one stage is worst at every precision: {here}.")
    open_ = ", ".join(_name(p) for p, worst in ranked.items() if not worst)
    here += f"{'; ' if here else ''}none stands out in {open_}" if open_ else ""
    if len(named) == 1:
        return Finding("partly", f"Where a stage stands out here it is always the same: {here}.")
    return Finding("agrees", f"The weakest stage changes with the precision: {here}.")


def smoothing_repairs(report: Report) -> Finding:
    cells = _cells(report)
    plain, smooth = cells.get(("expert", "int8")), cells.get(("expert", "int8-smooth"))
    if plain is None or smooth is None:
        return _cannot("The expert was not measured in both INT8 and INT8 smooth.")
    before, after = float(plain["min_cosine"]), float(smooth["min_cosine"])
    here = f"Least cosine {_cosine(before)} plain, {_cosine(after)} smoothed"
    if report["family"] != "smolvla":
        return _cannot(f"The claim is about SmolVLA. {here} on this policy's expert.")
    better = smooth["error"]["high"] < plain["error"]["low"]
    helped = f"error {_number(plain['error']['mean'])} to {_number(smooth['error']['mean'])}"
    if before >= 0.99:
        return Finding(
            "differs", f"{here}: plain INT8 does not fail on this checkpoint; smoothing {'helps' if better else 'changes'} ({helped})."
        )
    return Finding("agrees" if after >= 0.999 else "partly", f"{here} ({helped}).")


def errors_accumulate(report: Report) -> Finding:
    amplification = {p: values[-1] for p, values in report.get("amplification", {}).items() if values and values[-1] is not None}
    if not amplification:
        return _cannot("This policy does not denoise: it has no iterations over which an error could accumulate.")
    words = ", ".join(f"{_name(p)} {value:.2f}×" for p, value in amplification.items())
    here = f"Left alone, the errors of all iterations would add up to 1×; in the loop they become {words}"
    growing = sum(value > 1 - TIE for value in amplification.values())
    ending = "the loop does not calm them" if growing == len(amplification) else "the loop contracts them"
    return Finding(
        _share(growing, len(amplification)), f"{here}: {ending if growing in (0, len(amplification)) else 'it depends on the precision'}."
    )


def stages_do_not_add(report: Report) -> Finding:
    misses = {pair["precision"]: float(pair["residual"]) for pair in report.get("two_by_two", []) if pair["residual"] is not None}
    if not misses:
        return _cannot("The two halves were not measured together.")
    words = ", ".join(f"{miss * 100:.0f} % in {_name(p)}" for p, miss in misses.items())
    apart = sum(miss >= INTERACTION for miss in misses.values())
    ending = "each half can be judged by itself" if apart == 0 else "measure both together"
    first = "prefix" if report["per_iteration"] else "vision"
    return Finding(
        _share(apart, len(misses)),
        f"Added as vectors, chunk by chunk, the errors of {first} and expert miss the error of both by {words}: {ending}.",
    )


def late_vision_early_language(report: Report) -> Finding:
    measured = dict.fromkeys(layer["precision"] for layer in report.get("layers", []))
    precision = "int8" if "int8" in measured else next(iter(measured), None)
    layers = [layer for layer in report.get("layers", []) if layer["precision"] == precision]
    fragile = [_error(layer) for layer in layers if _depth(layer, layers) in (("vision", "late"), ("llm", "early"))]
    expert = [_error(layer) for layer in layers if layer["stage"] == "expert"]
    if precision is None or not fragile or not expert or not any(layer["stage"] == "llm" for layer in layers):
        return _cannot("It takes layers of the vision encoder, the language backbone and the expert.")
    ratio = median(fragile) / median(expert) if median(expert) > 0 else math.inf
    here = f"In {_name(precision)} late vision and early language layers cost {ratio:.2g} times the expert's"
    here += f" (medians of {len(fragile)} and {len(expert)} layers)"
    if precision != "int8":
        return _cannot(f"The claim is about 8-bit activations. {here}.")
    return Finding("agrees" if ratio >= FRAGILE_LAYERS else "partly" if ratio > 1 + TIE else "differs", f"{here}.")


def smaller_is_not_faster(report: Report) -> Finding:
    measured = [cell for cell in _measured(report) if cell["bytes"] < cell["fp32_bytes"] and cell["stage"] != "all"]
    slower = [cell for cell in measured if cell["ms"] > cell["fp32_ms"] * (1 + TIE)]
    if not measured:
        return _cannot("No smaller graph was timed.")
    here = f"{len(slower)} of {len(measured)} smaller graphs are slower than FP32 on the machine that computed this"
    return Finding("agrees" if slower else "differs", f"{here}.")


def demonstration_likes_fewer_steps(report: Report) -> Finding:
    steps = sorted(report.get("steps", []), key=lambda row: int(row["steps"]))
    if len(steps) < 2:
        return _cannot("This policy does not denoise, or only one number of steps was measured.")
    few, many = steps[0], steps[-1]
    here = (
        f"Error against the demonstration: {_number(few['vs_recorded']['mean'])} with {few['steps']}, "
        f"{_number(many['vs_recorded']['mean'])} with {many['steps']} steps"
    )
    if many["vs_recorded"]["low"] > few["vs_recorded"]["high"]:
        return Finding("agrees", f"{here}: it rises, which alone says nothing about success.")
    if many["vs_recorded"]["high"] < few["vs_recorded"]["low"]:
        return Finding("differs", f"{here}: it falls.")
    return _cannot(f"{here}: not distinguishable.")


def _depth(layer: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The stage of a layer and which half of it the layer is in, by the order of the report's block numbers."""
    blocks = [_block(other["layer"]) for other in layers if other["stage"] == layer["stage"] and _block(other["layer"]) is not None]
    own = _block(layer["layer"])
    if own is None or not blocks:
        return layer["stage"], "outside"
    return layer["stage"], "late" if own > max(block for block in blocks if block is not None) / 2 else "early"


def _block(name: str) -> int | None:
    """12 of `layers.12.mlp.down_proj`; None for a layer outside the blocks."""
    return next((int(part) for part in name.split(".") if part.isdigit()), None)


def _error(layer: Mapping[str, Any]) -> float:
    return float(layer["action_error"]["mean"])


def _share(n: int, of: int) -> Verdict:
    return "agrees" if n == of else "differs" if n == 0 else "partly"


def _stage(role: str | None) -> str:
    return {"llm": "the language backbone", "vision": "the vision encoder"}.get(str(role), f"the {role}")


def _name(precision: str) -> str:
    scheme, *options = precision.split("-")
    return " ".join(["INT8 weights" if scheme == "int8w" else scheme.upper(), *options])


def _number(value: float) -> str:
    return f"{value:.2g}"


def _cosine(value: float) -> str:
    """Never rounded up to a perfect 1."""
    return f"{math.floor(value * 1e4) / 1e4:.4f}"
