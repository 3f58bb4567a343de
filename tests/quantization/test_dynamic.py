"""Every product with weights becomes an integer product that answers nearly, but not exactly, what it did."""

import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tests.quantization.answers import answer, random
from tests.quantization.conftest import SaveGraph
from vla_demo.core import processor
from vla_demo.core.storage import fingerprint, graph_files
from vla_demo.quantization import convolutions
from vla_demo.quantization.audit import audited
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.convolutions import weight_codes
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.schemes import DynamicInt8, StaticInt8


def both(fp32: Path, x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the graph answers before and after, with every product with weights quantized."""
    prepared, int8 = fp32.with_name("prepared.onnx"), fp32.with_name("int8.onnx")
    prepare_graph(fp32, prepared)
    decisions = DynamicInt8().apply(prepared, int8, everywhere, None)
    found = audited(prepared, int8, "test", decisions)
    assert found.quantized_nodes == found.nodes > 0
    return answer(fp32, x), answer(int8, x)


def kinds(fp32: Path) -> list[str]:
    """The operators of the graph that `both` made."""
    return [node.op_type for node in onnx.load(fp32.with_name("int8.onnx")).graph.node]


CONVOLUTIONS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "plain": ({}, (8, 16, 3, 3)),
    "strided and padded": ({"strides": [2, 2], "pads": [1, 1, 1, 1]}, (8, 16, 3, 3)),
    "padded unevenly": ({"strides": [1, 3], "pads": [0, 1, 2, 3]}, (8, 16, 3, 5)),
    "dilated": ({"dilations": [2, 3], "strides": [2, 1], "pads": [2, 0, 2, 0]}, (8, 16, 3, 3)),
    "pointwise": ({}, (8, 16, 1, 1)),
    "pointwise and strided": ({"strides": [2, 2]}, (8, 16, 1, 1)),
    "padded by name": ({"auto_pad": "SAME_UPPER"}, (8, 16, 3, 3)),
    "depthwise": ({"group": 16}, (16, 1, 3, 3)),
    "of few channels": ({"strides": [2, 2], "pads": [3, 3, 3, 3]}, (8, 3, 7, 7)),
}
GATHERED = set(CONVOLUTIONS) - {"padded by name", "depthwise", "of few channels"}


def channels(kind: str) -> int:
    attributes, shape = CONVOLUTIONS[kind]
    return shape[1] * int(attributes.get("group", 1))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_convolution_stays_close_but_not_equal(save_graph: SaveGraph, kind: str, bias: bool) -> None:
    attributes, shape = CONVOLUTIONS[kind]
    weights = {"w": random(*shape)} | ({"b": random(shape[0], seed=1)} if bias else {})
    fp32 = save_graph([helper.make_node("Conv", ["x", *weights], ["y"], **attributes)], weights, (3, channels(kind), 13, 16))
    before, after = both(fp32, random(3, channels(kind), 13, 16, seed=2))
    assert before.shape == after.shape
    assert 0 < np.abs(after - before).max() < 0.03 * np.abs(before).max()


@pytest.mark.parametrize("kind", sorted(GATHERED))
def test_gathered_patches_answer_the_bits_of_the_integer_convolution(
    save_graph: SaveGraph, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributes, shape = CONVOLUTIONS[kind]
    fp32 = save_graph([helper.make_node("Conv", ["x", "w"], ["y"], **attributes)], {"w": random(*shape)}, (2, 16, 13, 16))
    x = random(2, 16, 13, 16, seed=2)
    _, gathered = both(fp32, x)
    assert "ConvInteger" not in kinds(fp32)
    monkeypatch.setattr(convolutions, "_FEWEST_CHANNELS", 1000)
    _, convolved = both(fp32, x)
    assert "ConvInteger" in kinds(fp32)
    np.testing.assert_allclose(gathered, convolved, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("inputs", [4, 32])
def test_a_convolution_keeps_a_scale_for_each_channel(save_graph: SaveGraph, inputs: int) -> None:
    """One channel a thousand times smaller than the others would vanish under a single scale."""
    weight = random(8, inputs, 3, 3)
    weight[3] /= 1000
    fp32 = save_graph([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": weight}, (1, inputs, 12, 16))
    before, after = both(fp32, random(1, inputs, 12, 16, seed=2))
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
    assert "BatchNormalization" not in kinds(fp32)


@pytest.mark.parametrize("inputs", [4, 32])
def test_an_activation_two_convolutions_read_is_quantized_once(save_graph: SaveGraph, inputs: int) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Conv", ["x", "v"], ["b"], name="second", strides=[2, 2]),
        helper.make_node("Add", ["a", "b"], ["y"], name="sum"),
    ]
    fp32 = save_graph(nodes, {"w": random(8, inputs, 3, 3), "v": random(8, inputs, 1, 1, seed=1)}, (1, inputs, 12, 16))
    both(fp32, random(1, inputs, 12, 16))
    assert kinds(fp32).count("DynamicQuantizeLinear") == 1
    assert kinds(fp32).count("ConvInteger") + kinds(fp32).count("MatMulInteger") == 2


def test_gathered_patches_fit_pictures_of_any_size(save_graph: SaveGraph) -> None:
    attributes = {"strides": [2, 2], "pads": [1, 1, 1, 1], "dilations": [1, 2]}
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], **attributes)]
    fp32 = save_graph(nodes, {"w": random(8, 16, 3, 3)}, (1, 16, "height", "width"))
    for size in ((7, 9), (8, 10), (31, 6)):
        before, after = both(fp32, random(1, 16, *size))
        assert before.shape == after.shape
        assert np.abs(after - before).max() < 0.05 * np.abs(before).max()


def test_fp32_weights_do_not_stay_in_the_int8_graph(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": random(256, 64, 3, 3)}, (1, 64, 12, 16))
    both(fp32, random(1, 64, 12, 16))
    assert fingerprint(graph_files(fp32.with_name("int8.onnx"))).size_bytes < 0.3 * fp32.stat().st_size


def test_weights_in_a_file_beside_the_graph_are_read(save_graph: SaveGraph) -> None:
    """How a stage over 2 GB comes."""
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
    assert (codes[1] == 0).all()


def test_codes_are_at_most_half_a_step_off() -> None:
    weight = random(8, 4, 3, 3)
    codes, scale = weight_codes(weight)
    steps = scale[:, None, None, None]
    assert (np.abs(codes * steps - weight) <= 0.501 * steps).all()


def test_weights_have_7_bits_where_8_would_saturate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """x86 without VNNI adds two products of 8 bits in 16."""
    cpu = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "CPU_INFO", cpu)
    for machine, flags, bits in (("x86_64", "avx2", 7), ("x86_64", "avx512_vnni", 8), ("aarch64", "asimd", 8)):
        cpu.write_text(f"flags : {flags}")
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert DynamicInt8().weight_bits == StaticInt8("minmax").weight_bits == bits


def test_fewer_bits_reach_less_far(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": random(64, 32)}, (5, 64))
    for bits, largest in ((8, 127), (7, 63)):
        DynamicInt8(weight_bits=bits).apply(_prepared(fp32), fp32.with_name("target.onnx"), everywhere, None)
        codes = [numpy_helper.to_array(t) for t in onnx.load(fp32.with_name("target.onnx")).graph.initializer if len(t.dims) == 2]
        assert np.abs(codes[0].astype(int)).max() == largest


def _prepared(fp32: Path) -> Path:
    prepare_graph(fp32, fp32.with_name("prepared.onnx"))
    return fp32.with_name("prepared.onnx")
