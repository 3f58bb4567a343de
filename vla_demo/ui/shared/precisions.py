"""How a stage's dial is offered: each scheme with its operands, a sentence of what it does, and its options. Pure data for the page."""

from collections.abc import Mapping
from typing import Any

from vla_demo.core.precision import OFFERED_PRECISIONS, Precision, option_groups

__all__ = ["dial", "operands", "precision_label"]

ABOUT: Mapping[str, str] = {
    "fp32": "As trained, in floating point: the reference.",
    "fp16": "Stored in half the bytes; a CPU still computes in FP32.",
    "int8": "8-bit weights and activations, ranges taken anew at every call.",
    "int8-static": "8-bit weights and activations, ranges fixed from training episodes.",
    "int8-smooth": "8-bit both, after activation outliers are folded into the weights.",
    "int8w": "8-bit weights in blocks, activations in floating point.",
    "int4": "4-bit weights in blocks, activations in floating point.",
    "int2": "2-bit weights in blocks: over the cliff.",
}
ABOUT_A8: Mapping[str, str] = {  # with the option of 8-bit activations
    "int8w": "8-bit weights in blocks, 8-bit activations.",
    "int4": "4-bit weights in blocks, 8-bit activations.",
    "int2": "2-bit weights in blocks, 8-bit activations: over the cliff.",
}
LABELS: Mapping[str, str] = {"int8-static": "INT8 static", "int8-smooth": "INT8 smooth", "int8w": "INT8 weights"}
GROUPS: Mapping[str, str] = {"b32": "Block size", "a16": "Activations", "minmax": "Calibrator"}  # by a group's default
OPTIONS: Mapping[str, str] = {"a16": "floating point", "a8": "8 bits", "minmax": "min and max"}


def dial(recipes: Mapping[str, str]) -> list[dict[str, Any]]:
    """One entry a precision. `recipes` are the mixed ones this stage has: precision -> sentence."""
    plain = [_entry(scheme, ABOUT[scheme]) for scheme in OFFERED_PRECISIONS]
    return plain + [_entry(precision, about) for precision, about in recipes.items()]


def _entry(text: str, about: str) -> dict[str, Any]:
    groups = [_group(text, group) for group in option_groups(text)]
    return {"scheme": text, "label": precision_label(text), "operands": operands(text), "about": about, "groups": groups}


def _group(scheme: str, options: tuple[str, ...]) -> dict[str, Any]:
    return {"label": GROUPS[options[0]], "options": [_option(scheme, name, name == options[0]) for name in _in_order(options)]}


def _in_order(options: tuple[str, ...]) -> list[str]:
    """Blocks by size; anything else as the grammar has it."""
    return sorted(options, key=_size) if options[0][1:].isdigit() and options[0][0] == "b" else list(options)


def _option(scheme: str, name: str, default: bool) -> dict[str, Any]:
    label = OPTIONS.get(name, f"{_size(name)} weights" if name[1:].isdigit() else name)
    changed, about = (operands(f"{scheme}-{name}"), ABOUT_A8[scheme]) if name == "a8" else (None, None)
    return {"value": name, "label": label, "default": default, "operands": changed, "about": about}


def _size(option: str) -> int:
    return int(option[1:])


def operands(precision: str) -> str:
    return Precision.parse(precision).operands


def precision_label(precision: str) -> str:
    """As people write it: `int4-b64-a8` is INT4 b64 a8, a recipe keeps its first digits."""
    parsed = Precision.parse(precision)
    if parsed.scheme == "mixed":
        return f"Mixed {parsed.options[0][:6]}"
    rest = precision.removeprefix(parsed.scheme).strip("-").replace("-", " ")
    return f"{LABELS.get(parsed.scheme, parsed.scheme.upper())} {rest}".strip()
