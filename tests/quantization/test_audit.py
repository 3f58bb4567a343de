"""The count is taken from the graphs; neither a graph that kept its FP32 products nor a decision that is not true passes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tests.quantization.answers import random
from tests.quantization.conftest import SaveGraph
from vla_demo.core.errors import QuantizationError
from vla_demo.core.package import Decision
from vla_demo.quantization.audit import Audit, audited, found_bits, has_products, weight_bits
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.proof import proven_different

WEIGHT = {"w": np.ones((4, 4), np.float32)}
BYTES = 4 * 64 * 32


@pytest.fixture
def two_layers(save_graph: SaveGraph) -> Path:
    """Prepared, of a first and a second layer."""
    nodes = [
        helper.make_node("MatMul", ["x", "v"], ["h"], name="first"),
        helper.make_node("MatMul", ["h", "w"], ["y"], name="second"),
    ]
    fp32 = save_graph(nodes, {"v": random(64, 32), "w": random(32, 64, seed=1)}, (1, 64))
    prepare_graph(fp32, fp32.with_name("prepared.onnx"))
    return fp32.with_name("prepared.onnx")


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


@pytest.mark.parametrize(("precision", "bits"), [("int8", 8), ("int8-static", 8), ("int8w", 8), ("int4", 4), ("int2", 2), ("fp16", 16)])
def test_the_bits_of_the_weights_are_seen_in_the_graph(two_layers: Path, precision: str, bits: int) -> None:
    import onnx

    target = two_layers.with_name("target.onnx")
    feeds = [{"x": random(1, 64)}]
    decisions = scheme_for(precision).apply(two_layers, target, lambda layer: layer == "second", feeds)
    assert found_bits(onnx.load(target)) == {"first": 32, "second": bits}
    kept = Decision("first", "MatMul", "fp32", BYTES, "not asked for")
    assert audited(two_layers, target, "test", [kept, *decisions]) == Audit(2, 1, 2 * BYTES, BYTES)
    assert weight_bits(precision) == bits


@pytest.mark.parametrize(
    ("lie", "complaint"),
    [
        ({"precision": "int4"}, "second was to be int4, its weights have 8 bits"),
        ({"precision": "fp32"}, "second was to be fp32"),
        ({"weight_bytes": 7}, "8192 bytes of weights, not 7"),
        ({"layer": "third"}, "do not match: second, third"),
        ({"layer": "first"}, "do not match: second"),
    ],
)
def test_a_decision_that_is_not_true_is_refused(two_layers: Path, lie: dict[str, object], complaint: str) -> None:
    """The negative control of the receipt: what it says about a layer is held against the graph."""
    target = two_layers.with_name("target.onnx")
    first, second = scheme_for("int8").apply(two_layers, target, everywhere, None)
    audited(two_layers, target, "test", [first, second])
    with pytest.raises(QuantizationError, match=complaint):
        audited(two_layers, target, "test", [first, replace(second, **lie)])  # type: ignore[arg-type]


def test_a_layer_that_vanished_is_noticed(two_layers: Path, save_graph: SaveGraph) -> None:
    other = save_graph([helper.make_node("MatMul", ["x", "v"], ["y"], name="first")], {"v": random(64, 64)}, (1, 64), "other.onnx")
    with pytest.raises(QuantizationError, match="second are not in the quantized graph any more"):
        audited(two_layers, other, "test")


def test_answers_that_do_not_differ_are_refused(two_layers: Path) -> None:
    """The negative control of the proof."""
    with pytest.raises(QuantizationError, match="exactly what FP32 answers"):
        proven_different(two_layers, two_layers, "step of stage expert in int8")
    assert proven_different(two_layers, two_layers, "step of stage expert in fp16", may_be_equal=True) == {"y": 0.0}


def test_answers_that_are_not_numbers_are_refused(save_graph: SaveGraph) -> None:
    good = save_graph([helper.make_node("Relu", ["x"], ["y"])], {}, (1, 4))
    broken = save_graph([helper.make_node("Log", ["x"], ["y"])], {}, (1, 4), "broken.onnx")
    with pytest.raises(QuantizationError, match="not finite"):
        proven_different(good, broken, "test")
