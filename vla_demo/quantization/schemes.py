"""The schemes behind the precisions: one frozen dataclass each, every number that changes its result a field. FP32 needs none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from vla_demo.core.errors import QuantizationError
from vla_demo.core.package import Decision
from vla_demo.core.precision import Precision
from vla_demo.quantization.calibration import Feeds, Where

__all__ = ["DynamicInt8", "Scheme", "scheme_for"]


class Scheme(Protocol):
    """Graph in, graph out."""

    @property
    def needs_calibration(self) -> bool:
        """Whether `apply` cannot do without feeds."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """What goes into the receipt: a cached graph made with other settings is made anew."""
        ...

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """Quantize the prepared graph into `target` and `<target>.data`; answers what became of each product that `where` chose.

        Products keep their layer's name. `prepared` may have been quantized in part already: what has no FP32 weights any more is left
        as it is. `feeds` are the graph's inputs on the calibration data; None where there is none and none is needed.
        """
        ...


@dataclass(frozen=True, slots=True)
class DynamicInt8:
    """8-bit weights with a scale for each output channel; 8-bit activations whose scale is taken from each tensor as it comes.

    Products of an activation with weights are quantized: MatMul, Gemm, Conv. Products of two activations (attention) and tables (Gather)
    stay in FP32. Weights are symmetric. On x86 without VNNI, sums of two 8-bit products may saturate in 16 bits.
    """

    algorithm: int = 3  # count up when the rewriting changes, so that cached graphs are made anew
    per_channel: bool = True
    weights: str = "int8"
    activations: str = "uint8"

    @property
    def needs_calibration(self) -> bool:
        return False

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        from vla_demo.quantization.dynamic import quantize_dynamically

        return quantize_dynamically(prepared, target, where)


def scheme_for(precision: str) -> Scheme:
    """The scheme of a precision other than FP32. Raises `UnknownVariant` for what is no precision."""
    parsed = Precision.parse(precision)
    if parsed.scheme == "int8":
        return DynamicInt8()
    raise QuantizationError(f"nothing makes {precision} yet")
