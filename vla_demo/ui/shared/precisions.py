"""How a stage's dial is offered: each scheme with its operands, a sentence of what it does, and its options. Pure data for the page."""

from collections.abc import Mapping
from typing import Any

from vla_demo.core.labels import PRECISION_SENTENCES, PRECISION_SENTENCES_A8, precision_label
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision, option_groups

__all__ = ["dial"]

GROUPS: Mapping[str, str] = {"b32": "Block size", "a16": "Activations", "minmax": "Calibrator"}  # by a group's default
OPTIONS: Mapping[str, str] = {"a16": "floating point", "a8": "8 bits", "minmax": "min and max"}


def dial(recipes: Mapping[str, str]) -> list[dict[str, Any]]:
    """One entry a precision. `recipes` are the mixed ones this stage has: precision -> sentence."""
    plain = [_entry(scheme, PRECISION_SENTENCES[scheme]) for scheme in OFFERED_PRECISIONS]
    return plain + [_entry(precision, about) for precision, about in recipes.items()]


def _entry(text: str, about: str) -> dict[str, Any]:
    groups = [_group(text, group) for group in option_groups(text)]
    return {"scheme": text, "label": precision_label(text), "operands": Precision.parse(text).operands, "about": about, "groups": groups}


def _group(scheme: str, options: tuple[str, ...]) -> dict[str, Any]:
    return {"label": GROUPS[options[0]], "options": [_option(scheme, name, name == options[0]) for name in _in_order(options)]}


def _in_order(options: tuple[str, ...]) -> list[str]:
    """Blocks by size; anything else as the grammar has it."""
    return sorted(options, key=_size) if options[0][1:].isdigit() and options[0][0] == "b" else list(options)


def _option(scheme: str, name: str, default: bool) -> dict[str, Any]:
    label = OPTIONS.get(name, f"{_size(name)} weights" if name[1:].isdigit() else name)
    changed, about = (Precision.parse(f"{scheme}-{name}").operands, PRECISION_SENTENCES_A8[scheme]) if name == "a8" else (None, None)
    return {"value": name, "label": label, "default": default, "operands": changed, "about": about}


def _size(option: str) -> int:
    return int(option[1:])
