"""Scales fixed beforehand: near FP32 on what they were calibrated for, run by integer kernels, and honest about what they clip."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper

from tests.quantization.answers import answer, random, relative_error
from tests.quantization.conftest import SaveGraph
from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.quantization.audit import audited
from vla_demo.quantization.calibration import Feeds, everywhere
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.ranges import Histograms, activation_ranges
from vla_demo.quantization.schemes import StaticInt8

METHODS = ("minmax", "entropy", "percentile")


def made(fp32: Path, feeds: Feeds, scheme: StaticInt8 | None = None) -> Path:
    prepared, target = fp32.with_name("prepared.onnx"), fp32.with_name("target.onnx")
    prepare_graph(fp32, prepared)
    decisions = (scheme or StaticInt8("minmax")).apply(prepared, target, everywhere, feeds)
    found = audited(prepared, target, "test", decisions)
    assert found.quantized_nodes == found.nodes > 0
    return target


def as_run(graph: Path) -> Counter[str]:
    """The operators ONNX Runtime really runs."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(graph.with_name("as_run.onnx"))
    onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(graph.with_name("as_run.onnx")).graph.node)


@pytest.fixture
def residual(save_graph: SaveGraph) -> Path:
    """A ResNet block with its downsampling: two convolutions read one activation, which an Add reads as well."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="enter"),
        helper.make_node("Conv", ["r", "v", "b"], ["c"], name="conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["d"], name="relu"),
        helper.make_node("Conv", ["d", "w", "b"], ["e"], name="conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["r", "u"], ["f"], name="downsample"),
        helper.make_node("Add", ["e", "f"], ["s"], name="sum"),
        helper.make_node("Add", ["s", "r"], ["y"], name="again"),
    ]
    weights = {"v": random(16, 16, 3, 3) / 12, "w": random(16, 16, 3, 3, seed=1) / 12, "u": random(16, 16, 1, 1, seed=2) / 4}
    return save_graph(nodes, weights | {"b": random(16, seed=3)}, (1, 16, 12, 12))


@pytest.mark.parametrize("method", METHODS)
def test_convolutions_stay_close_but_not_equal(residual: Path, method: str) -> None:
    x = random(1, 16, 12, 12, seed=5)
    target = made(residual, [{"x": x}], StaticInt8(method))
    assert 0 < relative_error(residual, target, x) < (0.3 if method == "entropy" else 0.02)


def test_integer_kernels_run_and_no_fp32_product_is_left(residual: Path) -> None:
    """A graph of pairs that ONNX Runtime does not fuse would run in FP32 under the name of int8."""
    found = as_run(made(residual, [{"x": random(1, 16, 12, 12)}]))
    assert found["QLinearConv"] == 3
    assert not found["Conv"]


def test_a_matrix_product_with_its_bias_runs_as_integers(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], name="layer"), helper.make_node("Add", ["h", "b"], ["y"])]
    fp32 = save_graph(nodes, {"w": random(64, 32), "b": random(32, seed=1)}, (1, 7, 64))
    x = random(1, 7, 64, seed=2)
    target = made(fp32, [{"x": x}])
    assert 0 < relative_error(fp32, target, x) < 0.02
    assert as_run(target)["MatMulIntegerToFloat"] == 1


def test_what_lies_outside_the_calibrated_range_is_clipped(save_graph: SaveGraph) -> None:
    """The price of fixing scales beforehand, which a dynamic scale does not pay."""
    fp32 = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": np.eye(16, dtype=np.float32)}, (1, 16))
    target = made(fp32, [{"x": np.linspace(-1, 1, 16, dtype=np.float32)[None]}])
    assert answer(target, np.full((1, 16), 5, np.float32)).max() == pytest.approx(1, abs=0.02)


def test_a_channel_without_weights_keeps_its_bias(save_graph: SaveGraph) -> None:
    """Its scale alone would blow the bias up beyond 32 bits."""
    weight = random(4, 16, 3, 3)
    weight[2] = 1e-12
    bias = np.array([0, 1, 50, 3], np.float32)
    fp32 = save_graph([helper.make_node("Conv", ["x", "w", "b"], ["y"])], {"w": weight, "b": bias}, (1, 16, 6, 6))
    x = random(1, 16, 6, 6)
    channel = answer(made(fp32, [{"x": x}]), x)[:, 2]
    assert np.abs(channel - 50).max() < 1


def test_percentiles_forget_what_minmax_remembers(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("Relu", ["x"], ["y"])], {}, (1, 20_000))
    x = np.abs(random(1, 20_000))
    x[0, 7] = 1000
    found = {m: activation_ranges(fp32, ["y"], [{"x": x}], m, Histograms(bins=4096))["y"].high for m in ("minmax", "percentile")}
    assert found["minmax"] == pytest.approx(1000)
    assert found["percentile"] < 10


def test_ranges_cover_every_call_and_hold_zero(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("Identity", ["x"], ["y"])], {}, (1, 4))
    feeds = [{"x": np.full((1, 4), value, np.float32)} for value in (2, 5, 3)]
    found = activation_ranges(fp32, ["x"], feeds, "minmax")["x"]
    assert (found.low, found.high) == (0, 5)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_calibrate_on_is_an_error(residual: Path, method: str) -> None:
    with pytest.raises(QuantizationError, match="nothing to calibrate on"):
        made(residual, [], StaticInt8(method))


def test_without_feeds_it_says_what_it_needs(residual: Path) -> None:
    with pytest.raises(InvalidInput, match="training episodes"):
        StaticInt8("minmax").apply(residual, residual.with_name("target.onnx"), everywhere, None)


def test_a_range_that_is_not_finite_is_an_error(residual: Path) -> None:
    broken: NDArray[Any] = np.full((1, 16, 12, 12), np.inf, np.float32)
    with pytest.raises(QuantizationError, match="not finite"):
        made(residual, [{"x": broken}])
