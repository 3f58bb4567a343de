"""Rotating the residual stream computes the same in FP32, and is refused where it would not."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.quantization.conftest import SaveGraph
from tests.quantization.test_smoothing import EXACT
from tests.quantization.transformer import relative_error, transformer
from vla_demo.core.errors import QuantizationError
from vla_demo.quantization import rotation
from vla_demo.quantization.rotation import ROTATION, orthogonal, rotate_graph


@pytest.mark.parametrize("width", [48, 192, 256, 720, 960])
def test_the_matrix_is_orthogonal_and_spreads_one_channel_over_many(width: int) -> None:
    turn = orthogonal(width, seed=0)
    assert np.allclose(turn @ turn.T, np.eye(width), atol=1e-12)
    assert np.abs(turn).max() < 0.9 and (np.abs(turn) > 1e-9).mean() > 0.9
    assert not np.allclose(turn, orthogonal(width, seed=1))


@pytest.mark.parametrize("equal_norms", [False, True])
def test_the_rotated_graph_computes_the_same(tmp_path: Path, equal_norms: bool) -> None:
    graph = transformer(tmp_path / "plain.onnx", equal_norms=equal_norms)
    rotate_graph(graph, tmp_path / "rotated.onnx", seed=3)
    assert relative_error(tmp_path / "rotated.onnx", graph) < EXACT
    before, after = (weight(path, "layers.0.mlp.down_proj.weight") for path in (graph, tmp_path / "rotated.onnx"))
    assert np.abs(before - after).max() > 0.1


def test_a_matrix_that_is_not_orthogonal_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the equality."""
    graph = transformer(tmp_path / "plain.onnx")
    monkeypatch.setattr(rotation, "orthogonal", lambda width, seed: orthogonal(width, seed) * np.linspace(0.9, 1.1, width))
    rotate_graph(graph, tmp_path / "rotated.onnx", seed=3)
    assert relative_error(tmp_path / "rotated.onnx", graph) > 100 * EXACT


def test_what_no_weight_writes_is_turned_by_a_product(tmp_path: Path) -> None:
    """As the prefix, whose stream begins with pictures, words and the state side by side."""
    graph = transformer(tmp_path / "plain.onnx")
    model = onnx.load(graph)
    place = next(i for i, node in enumerate(model.graph.node) if "entered" in node.output)
    model.graph.node[place].output[0] = "entering"
    model.graph.node.insert(place + 1, helper.make_node("Relu", ["entering"], ["entered"], name="relu"))
    onnx.save(model, graph)
    rotate_graph(graph, tmp_path / "rotated.onnx", seed=3)
    assert relative_error(tmp_path / "rotated.onnx", graph) < EXACT
    assert [n.name for n in onnx.load(tmp_path / "rotated.onnx").graph.node].count(ROTATION) == 1


def test_a_stream_that_somebody_reads_without_a_norm_is_refused(tmp_path: Path) -> None:
    graph = transformer(tmp_path / "plain.onnx")
    model = onnx.load(graph)
    model.graph.node.append(helper.make_node("Relu", ["entered"], ["seen"], name="spy"))
    onnx.save(model, graph)
    with pytest.raises(QuantizationError, match="spy reads its residual stream without a norm"):
        rotate_graph(graph, tmp_path / "rotated.onnx", seed=3)


def test_a_graph_with_other_norms_is_refused(save_graph: SaveGraph, tmp_path: Path) -> None:
    graph = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="m")], {"w": np.eye(4, dtype=np.float32)}, (2, 4))
    with pytest.raises(QuantizationError, match="no RMSNorm"):
        rotate_graph(graph, tmp_path / "rotated.onnx", seed=3)


def weight(path: Path, name: str) -> np.ndarray:
    model = onnx.load(path)
    return onnx.numpy_helper.to_array(next(t for t in model.graph.initializer if t.name == name))
