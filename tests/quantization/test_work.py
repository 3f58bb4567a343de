"""Operations and bytes counted from graphs, against arithmetic done by hand."""

from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from tests.quantization.graph_work import GraphWork, graph_work
from vla_demo.core.errors import QuantizationError


def graph(path: Path, nodes: list[Any], inputs: dict[str, list[Any]], weights: dict[str, list[int]]) -> Path:
    import numpy as np
    from onnx import numpy_helper, save

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    constants = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights.items()]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    save(
        helper.make_model(
            helper.make_graph(nodes, "g", values, [out], constants),
            opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("far", 1)],
        ),
        path,
    )
    return path


def test_a_product_with_weights(tmp_path: Path) -> None:
    made = graph(tmp_path / "g.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"], name="m")], {"x": [1, 5, 8]}, {"w": [8, 3]})
    assert graph_work(made) == GraphWork(2 * 5 * 8 * 3, 0, 4 * 8 * 3, 4 * (5 * 8 + 5 * 3))


def test_a_product_of_two_activations_of_a_length_the_instruction_decides(tmp_path: Path) -> None:
    made = graph(tmp_path / "g.onnx", [helper.make_node("MatMul", ["x", "k"], ["y"], name="m")], {"x": [1, 5, 8], "k": [1, 8, "s0"]}, {})
    assert graph_work(made, prefix=7) == GraphWork(0, 2 * 5 * 8 * 7, 0, 4 * (5 * 8 + 5 * 7))


def test_a_convolution(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="c", strides=[2, 2], pads=[1, 1, 1, 1])
    made = graph(tmp_path / "g.onnx", [node], {"x": [2, 3, 8, 8]}, {"w": [4, 3, 3, 3]})
    assert graph_work(made).operations == 2 * (2 * 4 * 4 * 4) * (3 * 3 * 3)


def test_a_shape_nobody_knows_is_an_error(tmp_path: Path) -> None:
    nodes = [helper.make_node("Foreign", ["x"], ["h"], domain="far"), helper.make_node("MatMul", ["h", "w"], ["y"], name="m")]
    made = graph(tmp_path / "g.onnx", nodes, {"x": [1, 5, 8]}, {"w": [8, 3]})
    with pytest.raises(QuantizationError, match="not known, so it cannot be counted"):
        graph_work(made)


@pytest.mark.full_size
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("family", ["act", "smolvla"])
def test_the_full_size_figures_of_the_prediction_are_those_of_full_size_graphs(family: str, tmp_path: Path) -> None:
    from tests.export.test_full_size import EXPORT, MAKE, python
    from vla_demo.evaluation.roofline import FULL_SIZE
    from vla_demo.runtime import read_manifest

    python(MAKE, family, str(tmp_path / family))
    python(EXPORT, str(tmp_path / family), str(tmp_path / "package"))
    package = read_manifest(tmp_path / "package")
    counted = {g.name: graph_work(package.folder / g.file) for g in package.graphs}
    for stage in FULL_SIZE[family]:
        graphs = [g for s in package.spec.stages if s.role == stage.role for g in s.graphs]
        once = [counted[g.name] for g in graphs if not g.runs_per_denoise_step]
        each = [counted[g.name] for g in graphs if g.runs_per_denoise_step]
        assert sum(w.weight_operations for w in once) == stage.weight_operations
        assert sum(w.other_operations for w in once) == stage.other_operations
        assert sum(w.weight_operations for w in each) == stage.step_weight_operations
        assert sum(w.weight_bytes for w in each) == stage.step_weight_bytes
