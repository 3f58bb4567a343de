"""Dynamic int8 of a whole graph file: a scale for each output channel of the weights, and one for each activation as it comes.

y = x * w + b becomes y = integers(q(x), q(w)) * (scale_x * scale_w[channel]) + b: the form that ONNX Runtime fuses into one kernel.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import Decision
from vla_demo.quantization.audit import products
from vla_demo.quantization.calibration import Where
from vla_demo.quantization.convolutions import (
    column_matrix,
    finish_product,
    gathers,
    integer_convolution,
    patches,
    scaled,
    weight_codes,
)
from vla_demo.quantization.rewriting import Rewriting, rewriting

__all__ = ["quantize_dynamically"]


def quantize_dynamically(prepared: Path, target: Path, where: Where) -> Sequence[Decision]:
    """Write the int8 counterpart of a prepared FP32 graph; neither it nor its folder is touched."""
    decisions: list[Decision] = []
    with rewriting(prepared, target) as to:
        chosen = {product.layer: product for product in products(to.model) if where(product.layer)}
        for node in to.model.graph.node:
            product = chosen.get(node.name)
            if product is None:
                to.keep(node)
                continue
            reason = _quantized(to, node, to.weight(product.weight))
            precision = "fp32" if reason else "int8"
            decisions.append(Decision(product.layer, product.operation, precision, product.weight_bytes, reason))
    return decisions


def _quantized(to: Rewriting, node: Any, weight: NDArray[np.float32]) -> str:
    """Write the integer form, or the node as it is; answers the reason for that."""
    if node.op_type != "Conv" and weight.ndim != 2:
        to.keep(node)
        return f"its weights have {weight.ndim} axes and are no matrix"
    source = node.input[0]
    to.shared("DynamicQuantizeLinear", [source], f"{source}_codes", f"{source}_scale", f"{source}_zero")
    if node.op_type == "MatMul":
        _matrix_product(to, node, weight)
        return ""
    codes, scale = weight_codes(weight)
    if gathers(node, weight):
        found = patches(to, node, f"{source}_codes", codes.shape[2:], f"{source}_zero")
        sums = _integer_sums(to, node, found, column_matrix(codes))
        finish_product(to, node, scaled(to, node, sums, scale, f"{node.output[0]}_scaled"))
    else:
        integer_convolution(to, node, codes, scale)
    return ""


def _matrix_product(to: Rewriting, node: Any, weight: NDArray[np.float32]) -> None:
    codes, scale = weight_codes(weight.T)
    scaled(to, node, _integer_sums(to, node, f"{node.input[0]}_codes", codes.T), scale, node.output[0])


def _integer_sums(to: Rewriting, node: Any, codes: str, weight: NDArray[np.int8]) -> str:
    """(..., K) codes times (K, N), in int32."""
    output = node.output[0]
    stored = to.constant(f"{output}_weight", weight)
    zeros = to.constant(f"{output}_shift", np.zeros(weight.shape[1], np.int8))
    return to.node("MatMulInteger", [codes, stored, f"{node.input[0]}_zero", zeros], f"{output}_sum", name=node.name)
