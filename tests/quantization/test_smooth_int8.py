"""int8-smooth holds where plain int8 demonstrably fails, and says so where there is nothing to smooth."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tests.outliers import inject
from tests.quantization.conftest import SaveGraph
from tests.quantization.test_smoothing import EXACT
from tests.quantization.transformer import answers, cosine, inputs, layer_count, relative_error, transformer
from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.quantization.audit import audited
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.row_scales import scale_rows
from vla_demo.quantization.schemes import DynamicInt8
from vla_demo.quantization.smooth_int8 import SmoothInt8

ALIKE = 0.999  # cosine


@pytest.fixture
def outlying(tmp_path: Path) -> Path:
    inject(transformer(tmp_path / "plain.onnx"), tmp_path / "outlying.onnx", factor=300.0, channels=3)
    return tmp_path / "outlying.onnx"


def test_it_holds_where_plain_int8_fails(outlying: Path, tmp_path: Path) -> None:
    DynamicInt8().apply(outlying, tmp_path / "int8.onnx", everywhere, None)
    SmoothInt8().apply(outlying, tmp_path / "smooth.onnx", everywhere, inputs())
    assert cosine(tmp_path / "int8.onnx", outlying) < 0.99
    assert cosine(tmp_path / "smooth.onnx", outlying) >= ALIKE


@pytest.mark.parametrize("row_scales", [False, True])
def test_every_layer_is_quantized_under_its_name(outlying: Path, tmp_path: Path, row_scales: bool) -> None:
    decisions = SmoothInt8(row_scales=row_scales).apply(outlying, tmp_path / "smooth.onnx", everywhere, inputs())
    audit = audited(outlying, tmp_path / "smooth.onnx", "smooth", decisions)
    assert audit.quantized_nodes == audit.nodes == layer_count()
    assert {decision.precision for decision in decisions} == {"int8"}
    assert cosine(tmp_path / "smooth.onnx", outlying) >= (ALIKE if row_scales else 0.99)


def test_only_the_chosen_layers_are_quantized(outlying: Path, tmp_path: Path) -> None:
    decisions = SmoothInt8().apply(outlying, tmp_path / "smooth.onnx", lambda layer: "mlp" in layer, inputs())
    assert sorted(d.layer for d in decisions) == sorted(f"layers.{b}.mlp.{p}_proj" for b in range(2) for p in ("gate", "up", "down"))


def test_the_dial_means_this_scheme_and_it_wants_data(outlying: Path, tmp_path: Path) -> None:
    scheme = scheme_for("int8-smooth")
    assert scheme == SmoothInt8() and scheme.needs_calibration
    with pytest.raises(InvalidInput, match="give a calibration"):
        scheme.apply(outlying, tmp_path / "smooth.onnx", everywhere, None)


def test_settings_tell_one_from_another() -> None:
    found = [SmoothInt8(), SmoothInt8(row_scales=False), SmoothInt8(alphas=(0.5,))]
    assert len({str(scheme.settings()) for scheme in found}) == len(found)


def test_a_stage_of_convolutions_has_nothing_to_smooth(save_graph: SaveGraph, tmp_path: Path) -> None:
    weight = np.ones((4, 3, 3, 3), np.float32)
    graph = save_graph([helper.make_node("Conv", ["x", "w"], ["y"], name="conv")], {"w": weight}, (1, 3, 8, 8))
    with pytest.raises(QuantizationError, match=r"nothing to smooth here.*use int8 or int8-static"):
        SmoothInt8().apply(graph, tmp_path / "smooth.onnx", everywhere, [{"x": np.ones((1, 3, 8, 8), np.float32)}])


def test_row_scales_compute_the_same_and_bear_rows_of_zeros(save_graph: SaveGraph, tmp_path: Path) -> None:
    graph = transformer(tmp_path / "plain.onnx")
    scale_rows(graph, tmp_path / "rows.onnx", everywhere)
    assert relative_error(tmp_path / "rows.onnx", graph) < EXACT
    weight = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    single = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="layer")], {"w": weight}, (1, 6, 5))
    scale_rows(single, tmp_path / "rows.onnx", everywhere)
    assert not answers(tmp_path / "rows.onnx", [{"x": np.zeros((1, 6, 5), np.float32)}]).any()


def test_one_large_token_does_not_coarsen_the_others(save_graph: SaveGraph, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    weight, x = generator.standard_normal((32, 8)).astype(np.float32), generator.standard_normal((1, 6, 32)).astype(np.float32)
    x[0, 0] *= 200
    graph = save_graph([helper.make_node("MatMul", ["x", "w"], ["y"], name="layer")], {"w": weight}, (1, 6, 32))
    scale_rows(graph, tmp_path / "rows.onnx", everywhere)
    errors = []
    for source in (graph, tmp_path / "rows.onnx"):
        DynamicInt8().apply(source, tmp_path / "int8.onnx", everywhere, None)
        errors.append(np.abs(answers(tmp_path / "int8.onnx", [{"x": x}]) - answers(graph, [{"x": x}]))[0, 0, 1:].max())
    assert errors[1] < 0.1 * errors[0]
