"""Every product with weights becomes an integer product that answers nearly, but not exactly, what it did."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from tests.quantization.conftest import SaveGraph
from vla_demo.quantization import dynamic
from vla_demo.quantization.audit import audited
from vla_demo.quantization.convolutions import weight_codes
from vla_demo.quantization.dynamic import quantize_dynamically
from vla_demo.quantization.preparation import prepare_graph


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def answer(path: Path, x: np.ndarray) -> np.ndarray:
    return np.asarray(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["y"], {"x": x})[0])


def both(fp32: Path, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the graph answers before and after, with every product with weights quantized."""
    prepared, int8 = fp32.with_name("prepared.onnx"), fp32.with_name("int8.onnx")
    prepare_graph(fp32, prepared)
    quantize_dynamically(prepared, int8)
    found = audited(prepared, int8, "test")
    assert found.quantized_nodes == found.nodes > 0
    return answer(fp32, x), answer(int8, x)


CONVOLUTIONS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "plain": ({}, (8, 4, 3, 3)),
    "strided and padded": ({"strides": [2, 2], "pads": [1, 1, 1, 1]}, (8, 4, 3, 3)),
    "padded by name": ({"auto_pad": "SAME_UPPER"}, (8, 4, 3, 3)),
    "dilated": ({"dilations": [2, 2]}, (8, 4, 3, 3)),
    "depthwise": ({"group": 4}, (4, 1, 3, 3)),
    "pointwise": ({}, (8, 4, 1, 1)),
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_convolution_stays_close_but_not_equal(save_graph: SaveGraph, kind: str, bias: bool) -> None:
    attributes, shape = CONVOLUTIONS[kind]
    weights = {"w": random(*shape)} | ({"b": random(shape[0], seed=1)} if bias else {})
    fp32 = save_graph([helper.make_node("Conv", ["x", *weights], ["y"], **attributes)], weights, (3, 4, 12, 16))
    before, after = both(fp32, random(3, 4, 12, 16, seed=2))
    assert 0 < np.abs(after - before).max() < 0.03 * np.abs(before).max()


def test_a_convolution_keeps_a_scale_for_each_channel(save_graph: SaveGraph) -> None:
    """One channel a thousand times smaller than the others would vanish under a single scale."""
    weight = random(8, 4, 3, 3)
    weight[3] /= 1000
    fp32 = save_graph([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": weight}, (1, 4, 12, 16))
    before, after = both(fp32, random(1, 4, 12, 16, seed=2))
    assert np.abs(after[:, 3] - before[:, 3]).max() < 0.03 * np.abs(before[:, 3]).max()


def test_products_and_their_biases_stay_close_but_not_equal(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    weights = {"w": random(32, 16), "b": random(32, seed=1), "v": random(32, 8, seed=2)}
    before, after = both(save_graph(nodes, weights, (5, 16)), random(5, 16, seed=3))
    assert 0 < np.abs(after - before).max() < 0.03 * np.abs(before).max()


def test_a_product_keeps_a_scale_for_each_column(save_graph: SaveGraph) -> None:
    weight = random(16, 8)
    weight[:, 3] /= 1000
    before, after = both(save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight}, (5, 16)), random(5, 16, seed=1))
    assert np.abs(after[:, 3] - before[:, 3]).max() < 0.03 * np.abs(before[:, 3]).max()


def test_a_weight_hidden_behind_a_transpose_is_found(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("Transpose", ["w"], ["t"]), helper.make_node("MatMul", ["x", "t"], ["y"])]
    both(save_graph(nodes, {"w": random(8, 16)}, (5, 16)), random(5, 16))


def test_a_batch_norm_behind_a_convolution_is_folded_into_it(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("BatchNormalization", ["c", "s", "b", "m", "v"], ["y"], name="norm"),
    ]
    weights = {"w": random(8, 4, 3, 3)} | {n: np.abs(random(8, seed=i)) for i, n in enumerate("sbmv")}
    fp32 = save_graph(nodes, weights, (1, 4, 12, 16))
    both(fp32, random(1, 4, 12, 16))
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(fp32.with_name("int8.onnx")).graph.node}


def test_an_activation_two_convolutions_read_is_quantized_once(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first"),
        helper.make_node("Conv", ["x", "v"], ["b"], name="second"),
        helper.make_node("Add", ["a", "b"], ["y"], name="sum"),
    ]
    fp32 = save_graph(nodes, {"w": random(8, 4, 3, 3), "v": random(8, 4, 3, 3, seed=1)}, (1, 4, 12, 16))
    both(fp32, random(1, 4, 12, 16))
    kinds = [node.op_type for node in onnx.load(fp32.with_name("int8.onnx")).graph.node]
    assert (kinds.count("DynamicQuantizeLinear"), kinds.count("ConvInteger")) == (1, 2)


def test_fp32_weights_do_not_stay_in_the_int8_graph(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": random(256, 64, 3, 3)}, (1, 64, 12, 16))
    both(fp32, random(1, 64, 12, 16))
    assert fp32.with_name("int8.onnx").stat().st_size < 0.3 * fp32.stat().st_size


def test_weights_in_a_file_beside_the_graph_are_read_and_may_be_written_so(save_graph: SaveGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    """How a stage over 2 GB comes and goes, here with the limit set to nothing."""
    monkeypatch.setattr(dynamic, "_INLINE_LIMIT", 0)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    external = {"save_as_external_data": True, "location": "fp32.onnx.data", "size_threshold": 0}
    fp32 = save_graph(nodes, {"w": random(64, 64)}, (5, 64), **external)
    before, after = both(fp32, random(5, 64))
    assert fp32.with_name("int8.onnx.data").stat().st_size >= 64 * 64
    assert 0 < np.abs(after - before).max() < 0.03 * np.abs(before).max()


def test_a_channel_of_zeros_keeps_its_zeros() -> None:
    weight = random(3, 2, 3, 3)
    weight[1] = 0
    codes, scale = weight_codes(weight)
    assert np.isfinite(scale).all()
    assert (codes[1] == 128).all()


def test_codes_are_at_most_half_a_step_off() -> None:
    weight = random(8, 4, 3, 3)
    codes, scale = weight_codes(weight)
    steps = scale[:, None, None, None]
    assert np.abs((codes.astype(np.float32) - 128) * steps - weight).max() <= 0.501 * scale.max()
    assert (np.abs((codes.astype(np.float32) - 128) * steps - weight) <= 0.501 * steps).all()
