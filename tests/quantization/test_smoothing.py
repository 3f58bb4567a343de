"""Smoothing computes the same in FP32, takes outliers out of activations, and foresees the error that int8 then makes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.outliers import inject
from tests.quantization.conftest import SaveGraph
from tests.quantization.transformer import inputs, layer_count, relative_error, transformer
from vla_demo.core.errors import InvalidInput
from vla_demo.quantization import smoothing
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.channels import channel_ranges
from vla_demo.quantization.seams import find_seams
from vla_demo.quantization.smoothing import predicted_error, smooth_graph, smoothing_scale

EXACT = 1e-5  # relative to the largest output


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return transformer(tmp_path / "plain.onnx")


@pytest.fixture
def outlying(plain: Path) -> Path:
    inject(plain, plain.with_name("outlying.onnx"), factor=100.0, channels=3)
    return plain.with_name("outlying.onnx")


def test_injected_outliers_leave_fp32_as_it_was(plain: Path, outlying: Path) -> None:
    assert relative_error(outlying, plain) < EXACT


@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.9])
def test_the_folded_graph_computes_the_same(outlying: Path, tmp_path: Path, alpha: float) -> None:
    done = smooth_graph(outlying, tmp_path / "smooth.onnx", inputs(), everywhere, alphas=[alpha], worth=1.0)
    assert relative_error(tmp_path / "smooth.onnx", outlying) < EXACT
    assert sum(len(seam.readers) for seam in done) == layer_count()
    assert any(seam.folded for seam in done) and any(seam.alpha and not seam.folded for seam in done)


def test_a_wrong_fold_would_be_seen(outlying: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the equality: rows multiplied, nothing divided."""
    monkeypatch.setattr(smoothing._Scales, "add", lambda self, seam, scale: self.rows.update(dict.fromkeys(seam.weights, scale)))
    smooth_graph(outlying, tmp_path / "smooth.onnx", inputs(), everywhere)
    assert relative_error(tmp_path / "smooth.onnx", outlying) > 1000 * EXACT


def test_norms_that_share_a_constant_are_smoothed_apart(tmp_path: Path) -> None:
    graph = transformer(tmp_path / "equal.onnx", equal_norms=True)
    done = smooth_graph(graph, tmp_path / "smooth.onnx", inputs(), everywhere, alphas=[0.5])
    assert relative_error(tmp_path / "smooth.onnx", graph) < EXACT
    assert sum(seam.folded for seam in done) >= 5


def test_outliers_go_where_there_is_room(outlying: Path, tmp_path: Path) -> None:
    smooth_graph(outlying, tmp_path / "smooth.onnx", inputs(), everywhere)
    assert worst_spread(outlying) > 30 > 10 > worst_spread(tmp_path / "smooth.onnx")


def worst_spread(graph: Path) -> float:
    """The largest channel against the middle one, of what the folded layers read."""
    activations = [seam.activation for seam in find_seams(onnx.load(graph)) if seam.folds]
    ranges = channel_ranges(graph, activations, inputs())
    return max(float(r.reach.max() / np.median(r.reach)) for r in ranges.values())


def test_where_nothing_is_chosen_nothing_is_changed(outlying: Path, tmp_path: Path) -> None:
    assert smooth_graph(outlying, tmp_path / "smooth.onnx", inputs(), lambda layer: False) == []
    assert relative_error(tmp_path / "smooth.onnx", outlying) == 0


def test_what_two_kinds_of_nodes_read_gets_a_product_of_its_own(save_graph: SaveGraph, tmp_path: Path) -> None:
    """A post-norm transformer: the residual reads the norm's output too, so the norm's weight cannot take the division."""
    nodes = [
        helper.make_node("LayerNormalization", ["x", "scale", "shift"], ["n"], name="norm"),
        helper.make_node("MatMul", ["n", "w"], ["m"], name="layer"),
        helper.make_node("Add", ["n", "m"], ["y"], name="residual"),
    ]
    scale = np.ones(8, np.float32)
    scale[2] = 100
    weights = {"scale": scale, "shift": np.ones(8, np.float32), "w": np.eye(8, dtype=np.float32)}
    graph = save_graph(nodes, weights, (1, 6, 8))
    feeds = [{"x": np.random.default_rng(n).standard_normal((1, 6, 8)).astype(np.float32)} for n in range(4)]
    (done,) = smooth_graph(graph, tmp_path / "smooth.onnx", feeds, everywhere)
    assert done.alpha is not None and not done.folded
    assert [node.op_type for node in onnx.load(tmp_path / "smooth.onnx").graph.node].count("Mul") == 1


def test_a_layer_norm_takes_it_in_both_its_constants(save_graph: SaveGraph, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("LayerNormalization", ["x", "scale", "shift"], ["n"], name="norm"),
        helper.make_node("MatMul", ["n", "w"], ["m"], name="widen"),
        helper.make_node("Add", ["m", "b"], ["a"], name="bias"),
        helper.make_node("Relu", ["a"], ["r"], name="relu"),
        helper.make_node("MatMul", ["r", "v"], ["y"], name="narrow"),
    ]
    generator = np.random.default_rng(0)
    shapes = {"scale": (5,), "shift": (5,), "w": (5, 7), "b": (7,), "v": (7, 3)}
    graph = save_graph(nodes, {n: generator.standard_normal(s).astype(np.float32) for n, s in shapes.items()}, (1, 6, 5))
    assert [set(seam.folds) for seam in find_seams(onnx.load(graph))] == [{"scale", "shift"}, {"w", "b"}]
    done = smooth_graph(graph, tmp_path / "smooth.onnx", inputs(), everywhere, alphas=[0.5])
    assert all(seam.folded or seam.alpha is None for seam in done) and any(seam.folded for seam in done)
    assert relative_error(tmp_path / "smooth.onnx", graph) < EXACT


def test_the_predicted_error_is_the_measured_one() -> None:
    generator = np.random.default_rng(1)
    x = generator.standard_normal((400, 32)) * np.geomspace(0.1, 10, 32)
    weight = generator.standard_normal((32, 64))
    ranges = smoothing.ChannelRanges(x.max(0)[None], x.min(0)[None], np.square(x).mean(0))
    for alpha in (0.0, 0.5, 0.9):
        scale = smoothing_scale(ranges.reach, [weight], alpha)
        assert 0.7 < predicted_error(ranges, [weight], scale) / measured_error(x / scale, weight * scale[:, None]) < 2


def measured_error(x: np.ndarray, weight: np.ndarray) -> float:
    step_x, steps_w = (x.max() - x.min()) / 255, np.abs(weight).max(0) / 127
    quantized = (np.round(x / step_x) * step_x) @ (np.round(weight / steps_w) * steps_w)
    return float(np.linalg.norm(quantized - x @ weight) / np.linalg.norm(x @ weight))


def test_a_silent_channel_is_left_alone() -> None:
    scale = smoothing_scale(np.array([0.0, 1.0, 4.0]), [np.array([[1.0], [1.0], [1.0]])], 0.5)
    assert scale[0] == 1 and scale[2] / scale[1] == pytest.approx(2)


def test_no_calibration_data_is_an_error(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing to calibrate on"):
        smooth_graph(plain, tmp_path / "smooth.onnx", [], everywhere)


def test_data_that_is_not_finite_is_an_error(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not finite"):
        smooth_graph(plain, tmp_path / "smooth.onnx", [{"x": np.full((1, 6, 5), np.nan, np.float32)}], everywhere)
