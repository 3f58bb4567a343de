"""What a stage can be asked to run in, as text: a scheme and its options, as in `int4-b64-a8`. How it works is `quantization`'s business.

Made only of letters, digits and hyphens, so that a precision can stand in a variant, a link and a file name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vla_demo.core.errors import UnknownVariant

__all__ = ["OFFERED_PRECISIONS", "REFERENCE_PRECISION", "Precision", "canonical_precision", "option_groups"]

REFERENCE_PRECISION = "fp32"
_BLOCKS = tuple(f"b{size}" for size in (32, 16, 64, 128, 256))  # weights that share a scale
_ACTIVATIONS = ("a16", "a8")  # a16: as they come, which on a CPU is FP32
_WEIGHT_ONLY = (_BLOCKS, _ACTIVATIONS)
_RECIPE = re.compile(r"[0-9a-f]{12}")

# scheme -> groups of options, of each of which one is chosen; the first is the default and is not written.
_SCHEMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    REFERENCE_PRECISION: (),
    "fp16": (),
    "int8": (),
    "int8-static": (("minmax", "entropy", "percentile"),),
    "int8-smooth": (),
    "int8w": _WEIGHT_ONLY,
    "int4": _WEIGHT_ONLY,
    "int2": _WEIGHT_ONLY,
}
OFFERED_PRECISIONS = tuple(_SCHEMES)  # with default options; `mixed` needs a recipe and is offered where one is
_MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Precision:
    """A precision taken apart. `str` gives the text again."""

    scheme: str  # "int8-static", "mixed", ...
    options: tuple[str, ...]  # one of each group; for mixed the recipe's name

    def __str__(self) -> str:
        return "-".join([self.scheme, *_chosen_options(self)])

    @property
    def operands(self) -> str:
        """What weights and activations are, as the field writes it. A16: floating point, which on a CPU without FP16 units is FP32."""
        if self.scheme in ("int8w", "int4", "int2"):
            bits = self.scheme.removeprefix("int").removesuffix("w")
            return f"W{bits}{self.options[1].upper()}"
        return {REFERENCE_PRECISION: "W32A32", "fp16": "W16A32", _MIXED: "mixed"}.get(self.scheme, "W8A8")

    @classmethod
    def parse(cls, text: str) -> "Precision":
        """Options may come in any order. Raises `UnknownVariant`, listing what is valid."""
        scheme = next((s for s in sorted((*_SCHEMES, _MIXED), key=len, reverse=True) if text == s or text.startswith(f"{s}-")), None)
        if scheme is None:
            why = "; ONNX Runtime multiplies with weights of 2, 4 or 8 bits" if text.startswith("int3") else ""
            raise UnknownVariant(f"unknown precision {text!r}{why}; valid: {', '.join(OFFERED_PRECISIONS)}")
        given = [part for part in text[len(scheme) :].split("-") if part]
        if scheme == _MIXED:
            return cls(scheme, _read_recipe(given, text))
        return cls(scheme, tuple(_read_options(scheme, given, text)))


def option_groups(scheme: str) -> tuple[tuple[str, ...], ...]:
    """What a scheme lets one choose: groups of which one option each is chosen, the default first. None for `mixed`."""
    return _SCHEMES.get(scheme, ())


def canonical_precision(text: str) -> str:
    """The one way to write a precision: `int4-a8-b32` becomes `int4-a8`. Raises `UnknownVariant`."""
    return str(Precision.parse(text))


def _chosen_options(precision: Precision) -> Iterator[str]:
    if precision.scheme == _MIXED:
        yield from precision.options
        return
    for group, option in zip(_SCHEMES[precision.scheme], precision.options, strict=True):
        if option != group[0]:
            yield option


def _read_options(scheme: str, given: list[str], text: str) -> Iterator[str]:
    left = list(given)
    for group in _SCHEMES[scheme]:
        chosen = [option for option in left if option in group]
        left = [option for option in left if option not in group]
        if len(chosen) > 1:
            raise UnknownVariant(f"the precision {text!r} chooses {' and '.join(chosen)}; give one of {', '.join(group)}")
        yield chosen[0] if chosen else group[0]
    if left:
        valid = ", ".join(option for group in _SCHEMES[scheme] for option in group) or "none"
        raise UnknownVariant(f"the precision {text!r} has the unknown option {left[0]!r}; valid for {scheme}: {valid}")


def _read_recipe(given: list[str], text: str) -> tuple[str, ...]:
    if len(given) != 1 or not _RECIPE.fullmatch(given[0]):
        raise UnknownVariant(
            f"the precision {text!r} names no recipe; it is written mixed-<12 hexadecimal digits>, as `vla-demo` answers them"
        )
    return (given[0],)
