"""The schemes behind the precisions: one frozen dataclass each, every number that changes its result a field. FP32 needs none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["SCHEMES", "DynamicInt8", "Scheme"]


class Scheme(Protocol):
    """Graph in, graph out."""

    def settings(self) -> Mapping[str, Any]:
        """What goes into the receipt: a cached graph made with other settings is made anew."""
        ...

    def apply(self, prepared: Path, target: Path) -> None:
        """Quantize the prepared graph into `target`, with `<target>.data` beside it when it would pass 2 GB."""
        ...


@dataclass(frozen=True, slots=True)
class DynamicInt8:
    """8-bit weights with a scale for each output channel; 8-bit activations whose scale is taken from each tensor as it comes.

    Products of an activation with weights are quantized: MatMul, Gemm, Conv. Products of two activations (attention) and tables (Gather)
    stay in FP32. Weights are symmetric. On x86 without VNNI, sums of two 8-bit products may saturate in 16 bits.
    """

    algorithm: int = 2  # count up when the rewriting changes, so that cached graphs are made anew
    per_channel: bool = True
    weights: str = "int8"
    activations: str = "uint8"

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path) -> None:
        from vla_demo.quantization.dynamic import quantize_dynamically

        quantize_dynamically(prepared, target)


SCHEMES: Mapping[str, Scheme] = {"int8": DynamicInt8()}
