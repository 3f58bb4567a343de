"""Weights of fewer bits: smaller, near, not equal; convolutions included; 8-bit activations only where ONNX Runtime obeys."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.quantization.answers import random, relative_error
from tests.quantization.conftest import SaveGraph
from vla_demo.core.errors import QuantizationError
from vla_demo.core.package import Decision
from vla_demo.core.storage import fingerprint, graph_files
from vla_demo.quantization.audit import audited
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.schemes import HalfStorage, Scheme, WeightOnly

WORST = {"fp16": 1e-3, "int8w": 0.01, "int4": 0.12, "int4-b128": 0.15, "int2": 0.6, "int4-a8": 0.12}  # relative error of one product
INPUTS, OUTPUTS = 256, 64


def made(fp32: Path, scheme: Scheme) -> tuple[Path, Sequence[Decision]]:
    prepared, target = fp32.with_name("prepared.onnx"), fp32.with_name("target.onnx")
    prepare_graph(fp32, prepared)
    decisions = scheme.apply(prepared, target, everywhere, None)
    audited(prepared, target, "test", decisions)
    return target, decisions


def in_blocks(bits: int, block: int, activation_bits: int = 32) -> WeightOnly:
    return WeightOnly(f"int{bits}" if bits < 8 else "int8w", bits, block, activation_bits, symmetric=True)


@pytest.fixture
def product(save_graph: SaveGraph) -> Path:
    weights = {"w": random(INPUTS, OUTPUTS)}
    return save_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="layer")], weights, (5, INPUTS))


@pytest.mark.parametrize("precision", WORST)
def test_a_product_stays_close_but_not_equal(product: Path, precision: str) -> None:
    target, decisions = made(product, scheme_for(precision))
    assert decisions == [Decision("layer", "MatMul", precision, 4 * INPUTS * OUTPUTS)]
    assert 0 < relative_error(product, target, random(5, INPUTS, seed=1)) < WORST[precision]


def test_bytes_are_those_of_the_bits_and_a_scale_for_each_block(product: Path) -> None:
    for scheme, bits in ((HalfStorage(), 16.0), (in_blocks(8, 32), 9.25), (in_blocks(4, 32), 5.125), (in_blocks(2, 32), 3.0)):
        target, _ = made(product, scheme)
        stored = fingerprint(graph_files(target)).size_bytes
        assert bits * INPUTS * OUTPUTS / 8 <= stored < bits * INPUTS * OUTPUTS / 8 + 2000


@pytest.mark.parametrize("precision", ["fp16", "int8w", "int4", "int4-a8"])
@pytest.mark.parametrize("kernel", [1, 3])
def test_a_convolution_becomes_a_product_over_patches(save_graph: SaveGraph, precision: str, kernel: int) -> None:
    """Else weights alone could do nothing for a stage of convolutions."""
    weights = {"w": random(48, 32, kernel, kernel), "b": random(48, seed=1)}
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], name="conv", pads=[kernel // 2] * 4, strides=[2, 2])
    fp32 = save_graph([node], weights, (2, 32, 13, 16))
    target, decisions = made(fp32, scheme_for(precision))
    assert [(d.layer, d.operation, d.precision) for d in decisions] == [("conv", "Conv", precision)]
    assert 0 < relative_error(fp32, target, random(2, 32, 13, 16, seed=2)) < WORST[precision]


def test_what_would_not_get_smaller_stays_and_says_why(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "small"], ["h"], name="small"),
        helper.make_node("MatMul", ["h", "large"], ["y"], name="large"),
    ]
    fp32 = save_graph(nodes, {"small": random(6, 256), "large": random(256, 8, seed=1)}, (5, 6))
    _, (small, large) = made(fp32, in_blocks(4, 128))
    assert (small.precision, large.precision) == ("fp32", "int4")
    assert small.reason == "with 6 inputs, blocks of 128 would take more bytes than FP32"


def test_a_convolution_over_a_picture_stays_and_says_why(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["h"], name="first"),
        helper.make_node("Conv", ["h", "second"], ["y"], name="second"),
    ]
    fp32 = save_graph(nodes, {"first": random(32, 3, 7, 7), "second": random(16, 32, 3, 3)}, (1, 3, 20, 20))
    _, decisions = made(fp32, in_blocks(4, 32))
    assert [d.precision for d in decisions] == ["fp32", "int4"]
    assert "3 channels" in decisions[0].reason


def test_eight_bit_activations_that_change_nothing_are_refused(save_graph: SaveGraph) -> None:
    """ONNX Runtime takes the wish and ignores it for some shapes; then the label W4A8 would be wrong."""
    fp32 = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": random(256, 64)}, (5, 256))
    with pytest.raises(QuantizationError, match="keeps the activations in floating point"):
        made(fp32, in_blocks(2, 16, activation_bits=8))


def test_weights_that_float16_cannot_hold_stay(save_graph: SaveGraph) -> None:
    weights = {"v": random(8, 8), "w": 1e6 * random(8, 8)}
    nodes = [helper.make_node("MatMul", ["x", "v"], ["h"], name="v"), helper.make_node("MatMul", ["h", "w"], ["y"], name="w")]
    _, decisions = made(save_graph(nodes, weights, (5, 8)), HalfStorage())
    assert [d.precision for d in decisions] == ["fp16", "fp32"]
    assert "larger than float16" in decisions[1].reason


def test_two_precisions_go_one_after_the_other(save_graph: SaveGraph) -> None:
    """How a mixed graph is made: what is quantized already has no FP32 weights left, and keeps its name."""
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["a"], name="first", strides=[2, 2]),
        helper.make_node("Conv", ["x", "w"], ["b"], name="second", strides=[2, 2]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    fp32 = save_graph(nodes, {"v": random(16, 32, 1, 1), "w": random(16, 32, 1, 1, seed=1)}, (1, 32, 8, 8))
    prepared, half_way, target = (fp32.with_name(f"{name}.onnx") for name in ("prepared", "half_way", "target"))
    prepare_graph(fp32, prepared)
    first = scheme_for("int4").apply(prepared, half_way, lambda layer: layer == "first", None)
    second = scheme_for("int8w").apply(half_way, target, everywhere, None)
    assert [(d.layer, d.precision) for d in (*first, *second)] == [("first", "int4"), ("second", "int8w")]
    assert audited(prepared, target, "test", [*first, *second]).quantized_nodes == 2
    onnx.checker.check_model(target)
    assert 0 < relative_error(fp32, target, random(1, 32, 8, 8, seed=2)) < 0.12


def test_the_graph_it_was_made_from_is_not_touched(product: Path) -> None:
    prepared = product.with_name("prepared.onnx")
    prepare_graph(product, prepared)
    before = [file.read_bytes() for file in graph_files(prepared)]
    in_blocks(4, 32).apply(prepared, product.with_name("target.onnx"), everywhere, None)
    assert [file.read_bytes() for file in graph_files(prepared)] == before
    assert not np.isnan(relative_error(product, prepared, random(5, INPUTS)))
