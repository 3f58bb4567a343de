"""The count is taken from the graphs, and a graph that kept its FP32 products does not pass."""

import numpy as np
import pytest
from onnx import helper

from tests.quantization.conftest import SaveGraph
from vla_demo.core.errors import QuantizationError
from vla_demo.quantization.audit import Audit, audited, has_products

WEIGHT = {"w": np.ones((4, 4), np.float32)}


def test_a_graph_that_was_not_quantized_is_refused(save_graph: SaveGraph) -> None:
    """The negative control: asked for int8, got FP32."""
    fp32 = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], WEIGHT, (1, 4))
    with pytest.raises(QuantizationError, match="none of its 1 products"):
        audited(fp32, fp32, "step of stage expert in int8")


def test_products_of_two_activations_and_tables_do_not_count(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"]),
        helper.make_node("MatMul", ["x", "t"], ["m"]),
        helper.make_node("Cast", ["m"], ["i"], to=7),
        helper.make_node("Gather", ["w", "i"], ["y"]),
    ]
    fp32 = save_graph(nodes, WEIGHT, (4, 4))
    assert not has_products(fp32)
    assert audited(fp32, fp32, "a graph without products") == Audit(0, 0, 0, 0)
