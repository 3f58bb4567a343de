"""A graph is written anew one weight at a time: small tensors in the graph file, large ones beside it, nothing lost."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.quantization.answers import answer, random, relative_error
from tests.quantization.conftest import SaveGraph
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.rewriting import rewriting

BESIDE = {"save_as_external_data": True, "location": "fp32.onnx.data", "size_threshold": 0}


def copied(source: Path, target: Path) -> Path:
    with rewriting(source, target) as to:
        for node in to.model.graph.node:
            to.keep(node)
    return target


@pytest.mark.parametrize("external", [True, False])
def test_a_graph_written_anew_answers_the_same(save_graph: SaveGraph, external: bool) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])]
    fp32 = save_graph(nodes, {"w": random(64, 64), "b": random(64)}, (5, 64), **(BESIDE if external else {}))
    target = copied(fp32, fp32.with_name("copy.onnx"))
    np.testing.assert_array_equal(answer(target, random(5, 64)), answer(fp32, random(5, 64)))


def test_what_nobody_reads_any_more_is_left_behind(save_graph: SaveGraph) -> None:
    fp32 = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": random(64, 64), "unused": random(512, 512)}, (5, 64), **BESIDE)
    target = copied(fp32, fp32.with_name("copy.onnx"))
    assert target.with_name("copy.onnx.data").stat().st_size == 64 * 64 * 4


def test_weights_lie_where_vector_units_like_them(save_graph: SaveGraph) -> None:
    weights = {f"w{i}": random(64, 65 - i) for i in range(3)}
    nodes = [helper.make_node("MatMul", ["x", name], ["y" if i == 0 else f"y{i}"]) for i, name in enumerate(weights)]
    fp32 = save_graph(nodes, weights, (5, 64), **BESIDE)
    target = copied(fp32, fp32.with_name("copy.onnx"))
    for tensor in onnx.load(target, load_external_data=False).graph.initializer:
        offset = next(int(entry.value) for entry in tensor.external_data if entry.key == "offset")
        assert offset % 64 == 0


@pytest.mark.parametrize(
    "attributes", [{}, {"transB": 1}, {"alpha": 0.5, "beta": 2.0}, {"transA": 1, "transB": 1}], ids=["plain", "turned", "scaled", "both"]
)
@pytest.mark.parametrize("bias", [True, False])
def test_gemm_is_taken_apart_into_what_it_computes(save_graph: SaveGraph, attributes: dict[str, float], bias: bool) -> None:
    """So that a scheme needs to know two kinds of products only."""
    weights = {"w": random(32, 16) if attributes.get("transB") else random(16, 32)} | ({"b": random(32, seed=1)} if bias else {})
    fp32 = save_graph([helper.make_node("Gemm", ["x", *weights], ["y"], name="layer", **attributes)], weights, (16, 16))
    prepared = fp32.with_name("prepared.onnx")
    prepare_graph(fp32, prepared)
    names = {node.name: node.op_type for node in onnx.load(prepared, load_external_data=False).graph.node}
    assert names["layer"] == "MatMul" and "Gemm" not in names.values()
    np.testing.assert_allclose(answer(prepared, random(16, 16)), answer(fp32, random(16, 16)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("precision", [p for p in OFFERED_PRECISIONS if p != "fp32"])
def test_products_that_follow_each_other_directly_get_names_of_their_own(save_graph: SaveGraph, precision: str) -> None:
    """What is made behind the first must not be called as what is made in front of the second."""
    nodes = [helper.make_node("MatMul", [x, w], [y], name=w) for x, w, y in (("x", "v", "h"), ("h", "w", "k"), ("k", "u", "y"))]
    fp32 = save_graph(nodes, {"v": random(64, 64) / 8, "w": random(64, 64, seed=1) / 8, "u": random(64, 64, seed=2) / 8}, (5, 64))
    prepared, target = fp32.with_name("prepared.onnx"), fp32.with_name("target.onnx")
    prepare_graph(fp32, prepared)
    scheme_for(precision).apply(prepared, target, everywhere, [{"x": random(5, 64)}])
    assert 0 < relative_error(fp32, target, random(5, 64)) < (1 if precision == "int2" else 0.2)
