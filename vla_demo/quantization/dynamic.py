"""Dynamic int8: a scale for each output channel of the weights, and one for each activation as it comes.

y = x * w + b becomes y = integers(q(x), q(w)) * (scale_x * scale_w[channel]) + b: the form that ONNX Runtime fuses into one kernel.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.quantization.convolutions import (
    column_matrix,
    finish_product,
    gathers,
    integer_convolution,
    patches,
    scaled,
    weight_codes,
)
from vla_demo.quantization.layerwise import Rewrite
from vla_demo.quantization.rewriting import Rewriting

__all__ = ["to_dynamic_int8"]


def to_dynamic_int8(reach: int) -> Rewrite:
    """The rewriting of a product, weights (K, N) or (O, C, ...), into its integer form.

    `reach` is the largest code of a weight: 127, or 63 with 7 bits.
    """

    def rewrite(to: Rewriting, node: Any, weight: NDArray[np.float32]) -> str:
        if node.op_type != "Conv" and weight.ndim != 2:
            return f"its weights have {weight.ndim} axes and are no matrix"
        source = node.input[0]
        to.shared("DynamicQuantizeLinear", [source], f"{source}_codes", f"{source}_scale", f"{source}_zero")
        (_matrix_product if node.op_type == "MatMul" else _convolution)(to, node, weight, reach)
        return ""

    return rewrite


def _matrix_product(to: Rewriting, node: Any, weight: NDArray[np.float32], reach: int) -> None:
    codes, scale = weight_codes(weight.T, reach)
    scaled(to, node, _integer_sums(to, node, f"{node.input[0]}_codes", codes.T), scale, node.output[0])


def _convolution(to: Rewriting, node: Any, weight: NDArray[np.float32], reach: int) -> None:
    source = node.input[0]
    codes, scale = weight_codes(weight, reach)
    if gathers(node, weight):
        found = patches(to, node, f"{source}_codes", codes.shape[2:], f"{source}_zero")
        sums = _integer_sums(to, node, found, column_matrix(codes))
        finish_product(to, node, scaled(to, node, sums, scale, f"{node.output[0]}_scaled"))
    else:
        integer_convolution(to, node, codes, scale)


def _integer_sums(to: Rewriting, node: Any, codes: str, weight: NDArray[np.int8]) -> str:
    """(..., K) codes times (K, N), in int32."""
    output = node.output[0]
    stored = to.constant(f"{output}_weight", weight)
    zeros = to.constant(f"{output}_shift", np.zeros(weight.shape[1], np.int8))
    return to.node("MatMulInteger", [codes, stored, f"{node.input[0]}_zero", zeros], f"{output}_sum", name=node.name)
