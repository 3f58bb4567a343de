"""A scale for each row of an activation, in plain ONNX: x w = r (x / r) w, with r the largest magnitude in each row.

ONNX Runtime's dynamic quantization has one scale for a whole tensor, so that one large token coarsens all others; divided by r, every row
fills the range. The graph computes the same before it is quantized. It knows nothing of quantization itself.
"""

from pathlib import Path
from typing import Any

import numpy as np

from vla_demo.quantization.calibration import Where
from vla_demo.quantization.rewriting import Rewriting, rewriting
from vla_demo.quantization.seams import GraphView

__all__ = ["scale_rows"]

_SMALLEST = np.array(1e-30, np.float32)  # a row of zeros stays one


def scale_rows(prepared: Path, target: Path, where: Where) -> None:
    """Write the graph with rows scaled before, and scaled back after, each product with a weight matrix that `where` chose."""
    with rewriting(prepared, target) as to:
        view = GraphView(to.model)
        for node in to.model.graph.node:
            if view.is_layer(node) and where(node.name):
                _scale_product(to, node)
            else:
                to.keep(node)


def _scale_product(to: Rewriting, node: Any) -> None:
    rows, output = node.input[0], node.output[0]
    last, smallest = to.constant("row_axis", np.array([-1])), to.constant("row_smallest", _SMALLEST)
    to.shared("Abs", [rows], f"{rows}_magnitude")
    to.shared("ReduceMax", [f"{rows}_magnitude", last], f"{rows}_largest", keepdims=1)
    reach = to.shared("Max", [f"{rows}_largest", smallest], f"{rows}_reach")
    filled = to.shared("Div", [rows, reach], f"{rows}_filled")
    to.node("MatMul", [filled, node.input[1]], f"{output}_of_filled", name=node.name)
    to.node("Mul", [f"{output}_of_filled", reach], output)
