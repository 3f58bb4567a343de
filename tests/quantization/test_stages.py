"""Stages in int8: made on demand, counted, kept by content, found by the runtime; the package is only read."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.fakes import noise, observation, tiny_act_package
from vla_demo.core.errors import InvalidInput, MissingPiece, PackageError, QuantizationError, Stopped, UnknownVariant
from vla_demo.core.package import Decision, PolicyPackage
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.core.variant import Variant
from vla_demo.quantization import prepare_variant, quantize_stage, scheme_for, stages, weight_only
from vla_demo.quantization.audit import products
from vla_demo.quantization.calibration import Calibration, Feeds, Where
from vla_demo.quantization.schemes import DynamicInt8
from vla_demo.quantization.stages import quantized_graph
from vla_demo.runtime import GraphStore, graph_of_file, open_policy, read_manifest, reference_graphs, write_manifest
from vla_demo.runtime.graph_store import receipts

TRAINING = Calibration("recorded", "train", (0, 1), (observation(1), observation(2)))
NUMBER_OF_PRODUCTS = {"vision": 2, "prefix": 3, "context": 2, "step": 3, "transformer": 2}


def actions(package: PolicyPackage, variant: Variant, cache: Path) -> NDArray[np.float32]:
    policy = open_policy(package.folder, variant, cache=cache)
    return policy.predict_chunk(observation(), noise=noise(policy.spec)).actions


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(("name", "role"), [("act", "vision"), ("act", "expert"), *(("smolvla", r) for r in ("vision", "llm", "expert"))])
def test_one_stage_in_int8_moves_the_actions_a_little(name: str, role: str, cache: Path, request: pytest.FixtureRequest) -> None:
    package: PolicyPackage = request.getfixturevalue(name)
    variant = Variant.of(package.spec, {role: "int8"})
    prepare_variant(package, variant, cache)
    reference = actions(package, Variant.reference(package.spec), cache)
    worst = np.abs(actions(package, variant, cache) - reference).max()
    assert 0 < worst < 0.1 * reference.std()


def test_every_product_with_weights_is_counted_and_quantized(smolvla: PolicyPackage, act: PolicyPackage, cache: Path) -> None:
    for package in (smolvla, act):
        everything = Variant.of(package.spec, {stage.role: "int8" for stage in package.spec.stages})
        graphs = prepare_variant(package, everything, cache)
        assert [(g.role, g.name, g.precision) for g in graphs] == [(g.role, g.name, "int8") for g in reference_graphs(package)]
        assert all(g.quantized_nodes == g.nodes == NUMBER_OF_PRODUCTS[g.name] for g in graphs)


def test_the_runtime_runs_the_graphs_that_were_made(smolvla: PolicyPackage, cache: Path) -> None:
    variant = Variant.of(smolvla.spec, {"expert": "int8"})
    made = prepare_variant(smolvla, variant, cache)
    assert list(open_policy(smolvla.folder, variant, cache=cache).graphs) == made
    assert [g.precision for g in made] == ["fp32", "fp32", "int8", "int8"]


def test_the_default_cache_is_shared_with_the_runtime(act: PolicyPackage, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(cache))
    prepare_variant(act, Variant.of(act.spec, {"vision": "int8"}))
    assert open_policy(act.folder, "vision=int8").graphs[0].precision == "int8"
    assert (cache / "quantized").is_dir()


def test_the_package_is_only_read(smolvla: PolicyPackage, cache: Path) -> None:
    before = contents(smolvla.folder)
    quantize_stage(smolvla, "llm", "int8", cache)
    assert contents(smolvla.folder) == before
    assert read_manifest(smolvla.folder) == smolvla


def test_a_kept_graph_is_not_made_again(act: PolicyPackage, cache: Path) -> None:
    first = quantize_stage(act, "vision", "int8", cache)
    times = [p.stat().st_mtime_ns for p in sorted((cache / "quantized").rglob("*"))]
    assert quantize_stage(act, "vision", "int8", cache) == first
    assert [p.stat().st_mtime_ns for p in sorted((cache / "quantized").rglob("*"))] == times


def test_the_same_content_in_another_folder_is_the_same_graph(act: PolicyPackage, cache: Path, tmp_path: Path) -> None:
    again = tiny_act_package(tmp_path / "again")
    assert quantize_stage(again, "vision", "int8", cache) == quantize_stage(act, "vision", "int8", cache)
    assert len(list((cache / "quantized").iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "receipt"])
def test_a_damaged_graph_is_made_again(act: PolicyPackage, cache: Path, damage: str) -> None:
    (graph,) = quantize_stage(act, "vision", "int8", cache)
    path = GraphStore(cache).path(graph)
    content = path.read_bytes()
    if damage == "receipt":
        (path.parent / "receipt.json").write_text("{")
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    assert quantize_stage(act, "vision", "int8", cache) == (graph,)
    assert path.read_bytes() == content


def test_another_scheme_or_version_makes_it_again(act: PolicyPackage, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (graph,) = quantize_stage(act, "vision", "int8", cache)
    receipt = GraphStore(cache).path(graph).parent / "receipt.json"
    assert json.loads(receipt.read_text())["made_with"]["algorithm"] == DynamicInt8().algorithm
    monkeypatch.setattr(stages, "scheme_for", lambda *_: DynamicInt8(algorithm=99))
    quantize_stage(act, "vision", "int8", cache)
    assert json.loads(receipt.read_text())["made_with"]["algorithm"] == 99


def test_an_fp32_file_that_is_not_the_manifests_is_refused(act: PolicyPackage, cache: Path) -> None:
    lying = dataclasses.replace(act.graphs[0], sha256="0" * 64)
    with pytest.raises(PackageError, match="not the file its manifest describes"):
        quantized_graph(act, lying, "int8", cache)
    assert not list((cache / "quantized").glob("*"))


def test_fp32_is_the_graph_itself(act: PolicyPackage, cache: Path) -> None:
    assert quantize_stage(act, "vision", "fp32", cache) == (act.graphs[0],)
    assert not cache.exists()


def test_what_does_not_exist_is_refused_with_what_does(act: PolicyPackage, cache: Path) -> None:
    with pytest.raises(UnknownVariant, match="vision, expert"):
        quantize_stage(act, "llm", "int8", cache)
    with pytest.raises(UnknownVariant, match="fp32, fp16, int8"):
        quantize_stage(act, "vision", "int5", cache)
    with pytest.raises(UnknownVariant, match="2, 4 or 8 bits"):
        quantize_stage(act, "vision", "int3", cache)


def test_there_is_a_scheme_for_each_precision() -> None:
    for precision in set(OFFERED_PRECISIONS) - {"fp32"}:
        assert scheme_for(precision).settings()["scheme"]


@pytest.mark.parametrize("name", ["act", "smolvla"])
@pytest.mark.parametrize("precision", [p for p in OFFERED_PRECISIONS if p != "fp32"])
def test_every_precision_of_every_stage_moves_the_actions(name: str, precision: str, cache: Path, request: pytest.FixtureRequest) -> None:
    package: PolicyPackage = request.getfixturevalue(name)
    stages = [s.role for s in package.spec.stages if (name, s.role, precision) != ("act", "vision", "int8-smooth")]  # nothing to smooth
    everything = Variant.of(package.spec, dict.fromkeys(stages, precision))
    graphs = prepare_variant(package, everything, cache, calibration=TRAINING)
    assert all(0 < g.quantized_weight_bytes <= g.weight_bytes for g in graphs if g.quantized_nodes)
    reference = actions(package, Variant.reference(package.spec), cache)
    worst = np.abs(actions(package, everything, cache) - reference).max() / reference.std()
    assert 0 < worst < (2 if precision == "int2" else 0.5)


def test_the_receipt_says_what_was_decided_what_made_it_and_what_proves_it(smolvla: PolicyPackage, cache: Path) -> None:
    variant = Variant.of(smolvla.spec, {"expert": "int8-static"})
    prepare_variant(smolvla, variant, cache, calibration=TRAINING)
    _, step = receipts(smolvla, variant, cache)
    assert len(step.decisions) == step.graph.nodes == NUMBER_OF_PRODUCTS["step"]
    assert sum(d.weight_bytes for d in step.decisions if d.precision == "int8-static") == step.graph.quantized_weight_bytes
    assert step.difference["velocity"] > 0
    assert step.made_with["calibration"] == TRAINING.identity()
    assert step.made_with["method"] == "minmax"


def test_a_checkpoint_that_was_stored_in_float16_loses_nothing_by_it(tmp_path: Path, cache: Path) -> None:
    """Half the bytes and the same answers is no fraud; the audit has seen the float16 weights."""
    package = tiny_act_package(tmp_path / "package")
    model = onnx.load(package.folder / "transformer.onnx")
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            halved = onnx.numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(halved, tensor.name))
    onnx.save(model, package.folder / "transformer.onnx")
    graph = graph_of_file(package.folder, role="expert", name="transformer", file="transformer.onnx")
    package = dataclasses.replace(package, graphs=(package.graphs[0], graph))
    write_manifest(package)
    (made,) = quantize_stage(package, "expert", "fp16", cache)
    assert made.quantized_nodes == made.nodes
    (receipt,) = receipts(package, Variant.of(package.spec, {"expert": "fp16"}), cache)
    assert receipt.difference == {"actions": 0.0}


def test_a_scheme_that_needs_calibration_is_refused_without(act: PolicyPackage, cache: Path) -> None:
    with pytest.raises(InvalidInput, match="needs training episodes"):
        quantize_stage(act, "vision", "int8-static", cache)


def test_another_calibration_makes_it_again_where_it_matters(act: PolicyPackage, cache: Path) -> None:
    other = dataclasses.replace(TRAINING, observations=(observation(7),))
    for precision, changes in (("int8-static", True), ("int8", False)):
        (first,) = quantize_stage(act, "vision", precision, cache, TRAINING)
        (second,) = quantize_stage(act, "vision", precision, cache, other)
        assert (first != second) == changes


def relu_only(path: Path, source: str, target: str, shape: list[int]) -> None:
    ports = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name in (source, target)]
    model = helper.make_model(helper.make_graph([helper.make_node("Relu", [source], [target])], "g", *ports), ir_version=10)
    onnx.save(model, path)


def test_a_stage_without_anything_to_quantize_is_an_error(tmp_path: Path, cache: Path) -> None:
    package = tiny_act_package(tmp_path / "package")
    relu_only(package.folder / "vision.onnx", "pixels", "features", [3, 3, 24, 32])
    graph = graph_of_file(package.folder, role="vision", name="vision", file="vision.onnx")
    package = dataclasses.replace(package, graphs=(graph, *package.graphs[1:]))
    write_manifest(package)
    with pytest.raises(QuantizationError, match=r"stage vision .* cannot run in int8: it has no product with weights"):
        prepare_variant(package, Variant.of(package.spec, {"vision": "int8"}), cache)


def test_a_stage_of_which_nothing_fits_is_an_error_with_the_reasons_and_leaves_nothing_to_run(
    act: PolicyPackage, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_only, "_FEWEST_CHANNELS", 1000)
    with pytest.raises(QuantizationError, match=r"cannot run in int4: a convolution over 3 channels .*; a convolution over 8 channels"):
        quantize_stage(act, "vision", "int4", cache)
    with pytest.raises(PackageError, match="has not been made yet"):
        open_policy(act.folder, "vision=int4", cache=cache)


class Idle:
    """A scheme that says int8 and copies the FP32 graph."""

    needs_calibration = False

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": "Idle"}

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        onnx.save(onnx.load(prepared), target)
        return [Decision(p.layer, p.operation, "int8", p.weight_bytes) for p in products(onnx.load(target))]


def test_a_scheme_that_does_nothing_is_found_out(act: PolicyPackage, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the whole room: a label is not believed."""
    monkeypatch.setattr(stages, "scheme_for", lambda *_: Idle())
    with pytest.raises(QuantizationError, match="none of its 2 products"):
        quantize_stage(act, "vision", "int8", cache)
    with pytest.raises(PackageError, match="has not been made yet"):
        open_policy(act.folder, "vision=int8", cache=cache)


def test_progress_is_told_stage_by_stage_and_may_stop_it(smolvla: PolicyPackage, cache: Path) -> None:
    told: list[tuple[str, float]] = []

    def progress(text: str, share: float) -> None:
        told.append((text, share))
        if share > 0.5:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        prepare_variant(smolvla, Variant.of(smolvla.spec, {"vision": "int8"}), cache, progress)
    assert told == [("vision in int8", 0.0), ("llm in fp32", 1 / 3), ("expert in fp32", 2 / 3)]


def test_a_missing_library_is_named_with_what_installs_it() -> None:
    with pytest.raises(MissingPiece, match="pip install"):
        stages._version("no-such-distribution")
