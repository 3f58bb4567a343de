"""What things are called where people read them: stages, families, loop modes, precisions, kinds of latency, joints."""

from collections.abc import Mapping

__all__ = [
    "LATENCY_KINDS",
    "MODES",
    "MODE_SENTENCES",
    "PRECISION_SENTENCES",
    "PRECISION_SENTENCES_A8",
    "STAGES",
    "board_label",
    "family_label",
    "joint_label",
    "joint_unit",
    "mode_label",
    "precision_label",
    "stage_label",
    "variant_label",
]

STAGES: Mapping[str, str] = {"vision": "Vision encoder", "llm": "Language backbone", "expert": "Action expert", "all": "All stages"}
FAMILIES: Mapping[str, str] = {"act": "ACT", "smolvla": "SmolVLA"}
MODES: Mapping[str, str] = {"sync": "Sync", "async": "Async", "seamfree": "Seam-free"}
MODE_SENTENCES: Mapping[str, str] = {
    "sync": "Plans when its queue is empty; waits meanwhile.",
    "async": "Plans the next chunk while it acts.",
    "seamfree": "Async, and each chunk goes on from the last.",
}
LATENCY_KINDS: Mapping[str, str] = {
    "published": "published",
    "predicted": "predicted",
    "measured": "measured here",
    "board": "measured on a board",
    "given": "given",
}
PRECISION_SENTENCES: Mapping[str, str] = {
    "fp32": "As trained, in floating point: the reference.",
    "fp16": "Stored in half the bytes; a CPU still computes in FP32.",
    "int8": "8-bit weights and activations, ranges taken anew at every call.",
    "int8-static": "8-bit weights and activations, ranges fixed from training episodes.",
    "int8-smooth": "8-bit both, after activation outliers are folded into the weights.",
    "int8w": "8-bit weights in blocks, activations in floating point.",
    "int4": "4-bit weights in blocks, activations in floating point.",
    "int2": "2-bit weights in blocks: over the cliff.",
}
PRECISION_SENTENCES_A8: Mapping[str, str] = {  # with the option of 8-bit activations
    "int8w": "8-bit weights in blocks, 8-bit activations.",
    "int4": "4-bit weights in blocks, 8-bit activations.",
    "int2": "2-bit weights in blocks, 8-bit activations: over the cliff.",
}
_SCHEMES: Mapping[str, str] = {"int8-static": "INT8 static", "int8-smooth": "INT8 smooth", "int8w": "INT8 weights"}
_RECIPE_DIGITS = 6


def stage_label(role: str) -> str:
    """Such as "Vision encoder"; a role that has no name is called by itself."""
    return STAGES.get(role, role)


def family_label(family: str) -> str:
    """Such as "SmolVLA"; a family that has no name is called by itself."""
    return FAMILIES.get(family, family)


def mode_label(mode: str) -> str:
    """Inside a sentence or a table: `seam-free`."""
    return MODES[mode].lower()


def board_label(board: str, kind: str) -> str:
    """`board arm-1`; of one whose robot is the twin, that it is simulated."""
    return f"board {board}{' (simulated)' if kind == 'twin' else ''}"


def precision_label(precision: str) -> str:
    """`int4-b64-a8` is INT4 b64 a8; of a recipe the first digits; `vision=int8,llm=int4` is vision INT8, llm INT4."""
    if "=" in precision:
        stages = (part.partition("=") for part in precision.split(","))
        return ", ".join(f"{stage} {precision_label(each)}" for stage, _, each in stages)
    scheme = next((name for name in _SCHEMES if precision == name or precision.startswith(f"{name}-")), precision.partition("-")[0])
    options = precision.removeprefix(scheme).strip("-").replace("-", " ")
    if scheme == "mixed":
        return f"Mixed {options[:_RECIPE_DIGITS]}"
    return f"{_SCHEMES.get(scheme, scheme.upper())} {options}".strip()


def variant_label(variant: str) -> str:
    """`vision=int8,expert=fp32,steps=10` is "vision INT8, expert FP32, 10 steps"; stages that are alike are not named: "INT8, 10 steps"."""
    stages = dict(part.split("=") for part in variant.split(","))
    steps = stages.pop("steps", None)
    alike = len(set(stages.values())) == 1
    precisions = next(iter(stages.values())) if alike else ",".join(f"{stage}={precision}" for stage, precision in stages.items())
    return f"{precision_label(precisions)}{f', {steps} steps' if steps else ''}"


def joint_label(name: str) -> str:
    """`shoulder_pan.pos` is shoulder pan."""
    return name.removesuffix(".pos").replace("_", " ")


def joint_unit(name: str) -> str:
    """In a dataset of an SO-101: degrees, and percent of the gripper's opening."""
    return "%" if "gripper" in name else "°"
