"""Weights stored as float16. ONNX Runtime widens them when it loads the graph and the CPU computes in FP32: half the bytes on disk."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.quantization.rewriting import Rewriting

__all__ = ["to_half"]


def to_half(to: Rewriting, node: Any, weight: NDArray[np.float32]) -> str:
    """Write the product with its weights, of any shape, behind a Cast; answers why not."""
    if np.abs(weight).max(initial=0) > np.finfo(np.float16).max:
        return "its weights are larger than float16 can hold"
    name = f"{node.output[0]}_half"
    widened = to.node("Cast", [to.constant(name, weight.astype(np.float16))], f"{name}_wide", to=1)  # TensorProto.FLOAT
    rewritten = type(node)()
    rewritten.CopyFrom(node)
    rewritten.input[1] = widened
    to.keep(rewritten)
    return ""
