"""Static int8: scales of activations fixed beforehand.

A convolution stands between QuantizeLinear/DequantizeLinear pairs (QDQ), which ONNX Runtime fuses into one integer kernel; its output is
quantized too, behind its Relu where that alone reads it. A matrix product becomes the kernel itself, MatMulIntegerToFloat: ONNX Runtime
1.32 turns MatMul and a bias into Gemm before it looks at pairs, and then computes in FP32, 2.4 times slower than without. How the ranges
are found is not known here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import Decision
from vla_demo.quantization.audit import Product, products
from vla_demo.quantization.calibration import Where
from vla_demo.quantization.convolutions import weight_codes
from vla_demo.quantization.ranges import Range
from vla_demo.quantization.rewriting import CONTRIBUTED, Rewriting, bias_of, rewriting

__all__ = ["quantize_statically"]

FindRanges = Callable[[Sequence[str]], Mapping[str, Range]]
_LARGEST_BIAS = 2**30  # codes; leaves the sums of the product room in 32 bits


def quantize_statically(
    prepared: Path, target: Path, where: Where, find_ranges: FindRanges, reach: int, precision: str
) -> Sequence[Decision]:
    """Write the QDQ counterpart of a prepared FP32 graph. `reach` is the largest code of a weight: 127, or 63 with 7 bits."""
    with rewriting(prepared, target) as to:
        asked = [product for product in products(to.model) if where(product.layer)]
        reasons = {product.layer: _reason_against(to, product) for product in asked}
        chosen = {product.layer: product for product in asked if not reasons[product.layer]}
        answers = _answers(to.model, chosen)
        reads = {node.input[0] for node in to.model.graph.node if node.name in chosen}
        scales = {name: _scale(found) for name, found in find_ranges(sorted(reads | set(answers))).items()}
        pairs = _Pairs(to, scales, answers)
        for node in to.model.graph.node:
            if node.name in chosen:
                weight = to.weight(chosen[node.name].weight)
                node = (_convolution if node.op_type == "Conv" else _matrix_product)(pairs, node, weight, reach)
            pairs.write(node)
    return [Decision(p.layer, p.operation, "fp32" if reasons[p.layer] else precision, p.weight_bytes, reasons[p.layer]) for p in asked]


@dataclass(frozen=True, slots=True)
class _Scale:
    """real = (code - zero) * step, codes 0..255."""

    step: np.float32
    zero: np.uint8


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The graph as it is written, with the pairs that are due."""

    to: Rewriting
    scales: Mapping[str, _Scale]  # by tensor
    answers: frozenset[str]  # tensors that everybody reads quantized

    def codes(self, tensor: str) -> tuple[str, str, str]:
        """The quantized form of an activation, its step and its zero."""
        step, zero = self._constants(tensor)
        if tensor not in self.answers:
            self.to.shared("QuantizeLinear", [tensor, step, zero], f"{tensor}_fixed")
        return f"{tensor}_fixed", step, zero

    def write(self, node: Any) -> None:
        """Append a node, and a pair behind what everybody reads quantized."""
        (output, *_) = node.output
        if output in self.answers:
            node = _copy_of(node)
            node.output[0] = f"{output}_float"
        self.to.keep(node)
        if output in self.answers:
            constants = self._constants(output)
            self.to.node("QuantizeLinear", [f"{output}_float", *constants], f"{output}_fixed")
            self.to.node("DequantizeLinear", [f"{output}_fixed", *constants], output)

    def _constants(self, tensor: str) -> tuple[str, str]:
        scale = self.scales[tensor]
        return self.to.constant(f"{tensor}_step", np.array(scale.step)), self.to.constant(f"{tensor}_zero_code", np.array(scale.zero))


def _reason_against(to: Rewriting, product: Product) -> str:
    axes = next(len(tensor.dims) for tensor in to.model.graph.initializer if tensor.name == product.weight)
    return "" if product.operation == "Conv" or axes == 2 else f"its weights have {axes} axes and are no matrix"


def _answers(model: Any, chosen: Mapping[str, Product]) -> frozenset[str]:
    """For each chosen convolution the tensor behind it, or behind its Relu if that is all that reads it."""
    readers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {output.name for output in model.graph.output}
    found = set()
    for node in model.graph.node:
        if node.name in chosen and node.op_type == "Conv":
            answer = node.output[0]
            after = readers.get(answer, [])
            behind_relu = len(after) == 1 and after[0].op_type == "Relu" and answer not in outputs
            found.add(after[0].output[0] if behind_relu else answer)
    return frozenset(found)


def _scale(found: Range) -> _Scale:
    step = np.float32((found.high - found.low) / 255) or np.float32(1)
    return _Scale(step, np.uint8(np.clip(np.rint(-found.low / step), 0, 255)))


def _matrix_product(pairs: _Pairs, node: Any, weight: NDArray[np.float32], reach: int) -> Any:
    from onnx import helper

    to, output = pairs.to, node.output[0]
    codes, step, zero = pairs.codes(node.input[0])
    stored, scale = weight_codes(weight.T, reach)
    constants = [to.constant(f"{output}_weight", stored.T), step, to.constant(f"{output}_weight_scale", scale), zero]
    zeros = to.constant(f"{output}_shift", np.zeros(len(scale), np.int8))
    to.uses_domain(CONTRIBUTED)
    return helper.make_node("MatMulIntegerToFloat", [codes, *constants, zeros], [output], name=node.name, domain=CONTRIBUTED)


def _convolution(pairs: _Pairs, node: Any, weight: NDArray[np.float32], reach: int) -> Any:
    """The same node over quantized input, weights and bias."""
    to, output, step = pairs.to, node.output[0], pairs.scales[node.input[0]].step
    rewritten = _copy_of(node)
    # A DequantizeLinear of its own: ONNX Runtime does not fuse one that several read.
    rewritten.input[0] = to.node("DequantizeLinear", pairs.codes(node.input[0]), f"{output}_input")
    bias = to.weight(bias_of(node)) if bias_of(node) else None
    codes, scale = _codes(weight, reach, None if bias is None else np.abs(bias) / (step * _LARGEST_BIAS))
    rewritten.input[1] = _dequantize(to, f"{output}_weight", codes, scale)
    if bias is not None:
        whole = np.rint(bias / (step * scale).astype(np.float64)).astype(np.int32)
        rewritten.input[2] = _dequantize(to, f"{output}_bias", whole, (step * scale).astype(np.float32))
    return rewritten


def _codes(weight: NDArray[np.float32], reach: int, least: NDArray[np.float32] | None) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(O, ...) to codes within -reach..reach and scales (O,), no smaller than `least`: else a bias of a dead channel would overflow."""
    codes, scale = weight_codes(weight, reach)
    if least is None or (scale >= least).all():
        return codes, scale
    scale = np.maximum(scale, least).astype(np.float32)
    return np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8), scale


def _dequantize(to: Rewriting, name: str, codes: NDArray[Any], scale: NDArray[np.float32]) -> str:
    """A constant of codes behind a DequantizeLinear with a scale for each output channel."""
    zeros = to.constant(f"{name}_zeros", np.zeros(len(scale), codes.dtype))
    return to.node("DequantizeLinear", [to.constant(f"{name}_codes", codes), to.constant(f"{name}_step", scale), zeros], name, axis=0)


def _copy_of(node: Any) -> Any:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy
