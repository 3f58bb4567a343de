"""The schemes behind the precisions: one frozen dataclass each, every number that changes its result a field. FP32 needs none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import Decision
from vla_demo.core.precision import canonical_precision
from vla_demo.core.processor import this_processor
from vla_demo.quantization.calibration import Feeds, Where
from vla_demo.quantization.layerwise import rewrite_products
from vla_demo.quantization.ranges import Histograms, Range, activation_ranges

__all__ = ["DynamicInt8", "HalfStorage", "Scheme", "StaticInt8", "WeightOnly"]


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
        as it is. `feeds` are the graph's inputs on the calibration data by name, in the shapes it reads; None where none are needed.
        """
        ...


@dataclass(frozen=True, slots=True)
class DynamicInt8:
    """8-bit weights with a scale for each output channel; 8-bit activations whose scale is taken from each tensor as it comes.

    Products of an activation with weights are quantized: MatMul, Gemm, Conv. Products of two activations (attention) and tables (Gather)
    stay in FP32. Weights are symmetric, and have 7 bits where 8 would saturate.
    """

    algorithm: int = 3  # count up when the rewriting changes, so that cached graphs are made anew
    per_channel: bool = True
    weight_bits: int = field(default_factory=lambda: safe_bits())
    activations: str = "uint8"

    @property
    def needs_calibration(self) -> bool:
        return False

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; `feeds` are not read."""
        from vla_demo.quantization.dynamic import to_dynamic_int8

        return rewrite_products(prepared, target, where, "int8", to_dynamic_int8(_reach(self.weight_bits)))


@dataclass(frozen=True, slots=True)
class StaticInt8:
    """8-bit weights with a scale for each output channel; 8-bit activations whose scale was found beforehand on training episodes.

    Symmetric signed weights, which have 7 bits where 8 would saturate; asymmetric unsigned activations, what ONNX Runtime turns signed
    ones into on x86 anyhow, where it finds them all.
    """

    method: str  # "minmax" | "entropy" | "percentile"
    weight_bits: int = field(default_factory=lambda: safe_bits())
    histograms: Histograms = field(default_factory=Histograms)
    algorithm: int = 1

    @property
    def needs_calibration(self) -> bool:
        return True

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; raises `InvalidInput` without `feeds`."""
        from vla_demo.quantization.static import quantize_statically

        if feeds is None:
            raise InvalidInput("static int8 fixes its scales on training episodes; give feeds")

        def find_ranges(tensors: Sequence[str]) -> Mapping[str, Range]:
            return activation_ranges(prepared, tensors, feeds, self.method, self.histograms)

        precision = canonical_precision(f"int8-static-{self.method}")
        return quantize_statically(prepared, target, where, find_ranges, _reach(self.weight_bits), precision)


@dataclass(frozen=True, slots=True)
class WeightOnly:
    """Weights in blocks that share a scale; activations stay as they come, which on a CPU is FP32, or become 8 bits (accuracy_level 4).

    Convolutions become products over gathered patches. What would not get smaller stays FP32. Symmetric blocks are smaller; a zero point
    for each block was worth it only for 2 bits (action error of the bundled policies, stage by stage: 2 bits 7 to 35 % less with zero
    points, 4 bits between 9 % less and 43 % more, 8 bits no difference that matters).
    """

    precision: str  # as decisions name it
    bits: int
    block_size: int
    activation_bits: int  # 32, or 8
    symmetric: bool
    algorithm: int = 1

    @property
    def needs_calibration(self) -> bool:
        return False

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; `feeds` are not read. Raises `QuantizationError` where 8-bit activations change nothing."""
        from vla_demo.quantization.weight_only import INT8_ACTIVATIONS, Blocks, prove_int8_activations, to_blocks

        blocks = Blocks(self.bits, self.block_size, self.symmetric)
        level = INT8_ACTIVATIONS if self.activation_bits == 8 else 0
        decisions = rewrite_products(prepared, target, where, self.precision, to_blocks(blocks, level))
        if level and any(not decision.reason for decision in decisions):
            prove_int8_activations(target)
        return decisions


@dataclass(frozen=True, slots=True)
class HalfStorage:
    """Weights stored as float16 behind a Cast: half the bytes on disk, while the CPU computes in FP32."""

    algorithm: int = 1

    @property
    def needs_calibration(self) -> bool:
        return False

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self)

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; `feeds` are not read."""
        from vla_demo.quantization.half import to_half

        return rewrite_products(prepared, target, where, "fp16", to_half)


def _reach(bits: int) -> int:
    """The largest code of a symmetric weight."""
    return (1 << (bits - 1)) - 1


def safe_bits() -> int:
    """8; 7 on x86 without VNNI, where a kernel adds two products of 8 bits in 16 and would saturate."""
    processor = this_processor()
    return 7 if processor.architecture.lower() in ("x86_64", "amd64") and not processor.has_vnni else 8
