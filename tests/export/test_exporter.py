"""A package appears whole and proven, or not at all."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.export.conftest import Exported
from tests.tiny_checkpoints import JOINTS
from vla_demo.core.errors import CheckpointError, InvalidInput, ParityError, Stopped
from vla_demo.export import export_checkpoint, exporter
from vla_demo.runtime import open_policy, read_manifest
from vla_demo.runtime.manifest import verify_package


def test_the_package_holds_what_the_contract_names(smolvla: Exported, act: Exported) -> None:
    for exported, graphs in ((smolvla, ["vision", "prefix", "context", "step"]), (act, ["vision", "transformer"])):
        package = read_manifest(exported.package.folder)
        assert [g.name for g in package.graphs] == graphs
        assert {p.name.removesuffix(".data") for p in package.folder.iterdir()} == {"manifest.json", *(f"{g}.onnx" for g in graphs)} | (
            {"tokenizer.json"} if package.preprocessing.language else set()
        )
        verify_package(package)
    assert smolvla.package.spec.joint_names == JOINTS
    assert (smolvla.package.spec.noise_shape, smolvla.package.spec.denoise_steps) == ((8, 8), 4)
    assert set(smolvla.package.provenance["versions"]) >= {"lerobot", "torch", "onnx", "onnxruntime"}


def test_the_graphs_have_the_tensors_the_contract_names(smolvla: Exported, act: Exported) -> None:
    for exported in (smolvla, act):
        specs = {g.name: g for stage in exported.package.spec.stages for g in stage.graphs}
        for graph in exported.package.graphs:
            model = onnx.load(exported.package.folder / graph.file)
            assert [i.name for i in model.graph.input] == list(specs[graph.name].inputs)
            assert [o.name for o in model.graph.output] == list(specs[graph.name].outputs)
            assert next(o.version for o in model.opset_import if o.domain == "") == 18


def test_an_instruction_of_any_length_runs(smolvla: Exported) -> None:
    policy = open_policy(smolvla.package.folder)
    observation = smolvla.cases[0].observation
    for text in ("go", "Grab the tea bag. " * 2, "word " * 100):
        seen = type(observation)(observation.images, observation.joints, text, 0.0)
        assert np.isfinite(policy.predict_chunk(seen, noise=smolvla.cases[0].noise).actions).all()


def test_no_path_of_this_machine_is_in_a_package(smolvla: Exported, act: Exported) -> None:
    here = str(Path(__file__).parents[2]).encode()
    for exported in (smolvla, act):
        files = list(exported.package.folder.iterdir())
        assert not [f.name for f in files if here in f.read_bytes() or b"site-packages" in f.read_bytes()]


def test_every_weight_of_a_linear_layer_is_a_constant_that_can_be_quantized(smolvla: Exported) -> None:
    counts = {"vision": 2 * 6 + 1, "prefix": 3 * 7 + 2 + 1, "context": 2 * 2, "step": 4 * 5 + 2 * 2 + 4}
    for graph in smolvla.package.graphs:
        model = onnx.load(smolvla.package.folder / graph.file)
        weights = {t.name for t in model.graph.initializer if len(t.dims) == 2}
        products = [n for n in model.graph.node if n.op_type in ("MatMul", "Gemm") and n.input[1] in weights]
        assert len(products) == counts[graph.name]


def test_progress_only_goes_forward_and_ends_at_one(smolvla: Exported) -> None:
    fractions = [fraction for _, fraction in smolvla.progress if fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) > 40


def test_the_proof_rests_on_recorded_moments_where_the_cameras_match_and_says_so(smolvla: Exported, act: Exported) -> None:
    assert "recorded validation episodes" in smolvla.package.parity["source"]
    assert "made-up" in act.package.parity["source"]


def test_importing_the_exporter_loads_no_torch() -> None:
    code = "import sys, vla_demo.export; sys.exit('torch' in sys.modules or 'lerobot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def raise_at(text_part: str, error: BaseException) -> Callable[..., None]:
    def progress(text: str, fraction: float | None = None) -> None:
        if text_part in text:
            raise error

    return progress


@pytest.mark.parametrize("error", [Stopped("enough"), KeyboardInterrupt()])
def test_stopping_leaves_nothing_behind(act_checkpoint: Path, tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        export_checkpoint(str(act_checkpoint), tmp_path / "package", progress=raise_at("Exporting the graph vision", error))
    assert list(tmp_path.iterdir()) == []


def test_stopping_inside_pytorch_counts_as_stopping(act_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def wrapped(*_: Any, **__: Any) -> None:
        try:
            raise Stopped("asked to stop")
        except Stopped as stopped:
            raise RuntimeError("PyTorch failed") from stopped

    monkeypatch.setattr(torch.export, "export", wrapped)
    with pytest.raises(Stopped):
        export_checkpoint(str(act_checkpoint), tmp_path / "package")
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_misses_the_gate_does_not_appear_and_an_older_one_stays(
    act: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = shutil.copytree(act.package.folder, tmp_path / "package")

    def cut_without_statistics(_checkpoint: Any, folder: Path, _say: Any) -> Any:
        shutil.copytree(act.package.folder, folder, dirs_exist_ok=True)
        package = read_manifest(folder)
        state = replace(package.preprocessing.state, mode="IDENTITY", stats={})
        wrong = replace(package, preprocessing=replace(package.preprocessing, state=state))
        trace = {n: np.ones(s, np.float32) for n, s in (("pixels", (2, 3, 32, 48)), ("features", (2, 64, 1, 2)), ("state", (1, 6)))}
        return exporter._Cut(wrong, act.cases, "a test", trace | {"actions": np.ones((1, 8, 6), np.float32)}, None)

    monkeypatch.setattr(exporter, "_cut", cut_without_statistics)
    with pytest.raises(ParityError) as caught:
        export_checkpoint(str(act.checkpoint), older)
    assert caught.value.report["max_error"] > caught.value.report["tolerance"]
    assert read_manifest(older).parity == act.package.parity
    assert [p.name for p in tmp_path.iterdir()] == ["package"]


def test_a_folder_with_something_else_in_it_is_refused_and_kept(act_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(InvalidInput, match="will not be replaced"):
            export_checkpoint(str(act_checkpoint), out)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_checkpoint_that_is_none_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "config.json").write_text(json.dumps({"type": "pi0"}))
    with pytest.raises(CheckpointError):
        export_checkpoint(str(tmp_path / "checkpoint"), tmp_path / "package")
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]
