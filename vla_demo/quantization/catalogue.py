"""Which scheme makes which precision. FP32 needs none."""

from collections.abc import Callable, Mapping
from pathlib import Path

from vla_demo.core.errors import QuantizationError
from vla_demo.core.precision import REFERENCE_PRECISION, Precision
from vla_demo.quantization.mixed import Mixed
from vla_demo.quantization.recipes import Recipe, find_recipe
from vla_demo.quantization.schemes import DynamicInt8, HalfStorage, Scheme, StaticInt8, WeightOnly
from vla_demo.quantization.smooth_int8 import SmoothInt8

__all__ = ["mixed_scheme", "scheme_for"]


def scheme_for(precision: str, cache: Path | None = None) -> Scheme:
    """The scheme of a precision other than FP32; a recipe is looked up in `cache` (default: the cache folder).

    Raises `UnknownVariant` for what is no precision, `InvalidInput` for a recipe that is not there.
    """
    parsed = Precision.parse(precision)
    if parsed.scheme == "mixed":
        return mixed_scheme(find_recipe(parsed.options[0], cache))
    if parsed.scheme not in _MAKERS:
        raise QuantizationError(f"nothing makes {precision} yet")
    return _MAKERS[parsed.scheme](parsed)


def mixed_scheme(recipe: Recipe) -> Mixed:
    """The scheme that gives each layer the precision of the recipe."""
    return Mixed(recipe, {precision: scheme_for(precision) for precision in recipe.precisions if precision != REFERENCE_PRECISION})


def _weight_only(precision: Precision) -> Scheme:
    block, activations = precision.options
    bits = int(precision.scheme.removeprefix("int").removesuffix("w"))
    return WeightOnly(str(precision), bits, int(block.removeprefix("b")), 8 if activations == "a8" else 32, _SYMMETRIC[bits])


_SYMMETRIC = {8: True, 4: True, 2: False}
_MAKERS: Mapping[str, Callable[[Precision], Scheme]] = {
    "int8": lambda _: DynamicInt8(),
    "int8-smooth": lambda _: SmoothInt8(),
    "int8-static": lambda precision: StaticInt8(precision.options[0]),
    "fp16": lambda _: HalfStorage(),
    "int8w": _weight_only,
    "int4": _weight_only,
    "int2": _weight_only,
}
