"""The gate passes what is right and fails for each mistake that exporters are known to make. One mistake a test, nothing else changed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.export.conftest import Exported
from vla_demo.core.errors import ParityError
from vla_demo.core.package import PolicyPackage, VectorRecipe
from vla_demo.export.parity import TOLERANCE, ActionScale, Case, action_scale, check_parity, graph_errors, measure
from vla_demo.export.preprocessing import recorded_action_std
from vla_demo.runtime import graph_of_file, open_policy, read_manifest, write_manifest
from vla_demo.runtime.pictures import ResizeWithPad
from vla_demo.runtime.resampling import resize

Change = Callable[[PolicyPackage], PolicyPackage]


def judge(exported: Exported, folder: Path) -> dict[str, Any]:
    """The gate as the exporter applies it, on the package in `folder`."""
    policy = open_policy(folder)
    scale = action_scale(policy.package.preprocessing.action, recorded_action_std(exported.checkpoint), exported.cases)
    return check_parity(policy.spec.joint_names, measure(policy, exported.cases, lambda _: None), scale, {})


def changed(exported: Exported, folder: Path, change: Change) -> Path:
    """A copy of the package with another manifest."""
    shutil.copytree(exported.package.folder, folder)
    write_manifest(change(read_manifest(folder)))
    return folder


def recipes(**changes: Any) -> Change:
    return lambda package: replace(package, preprocessing=replace(package.preprocessing, **changes))


def identity(recipe: VectorRecipe) -> VectorRecipe:
    return replace(recipe, mode="IDENTITY", stats={})


def without_picture_statistics(package: PolicyPackage) -> PolicyPackage:
    kept = {c: tuple(o for o in ops if o["op"] != "normalize") for c, ops in package.preprocessing.images.items()}
    return recipes(images=kept)(package)


def with_swapped_cameras(package: PolicyPackage) -> PolicyPackage:
    return replace(package, spec=replace(package.spec, cameras=(*package.spec.cameras[1::-1], *package.spec.cameras[2:])))


def with_language(**changes: Any) -> Change:
    return lambda package: recipes(language=replace(package.preprocessing.language, **changes))(package)


ALL_FAMILIES: list[Any] = [
    pytest.param(lambda p: recipes(state=identity(p.preprocessing.state))(p), id="the state's normalizer dropped"),
    pytest.param(lambda p: recipes(action=identity(p.preprocessing.action))(p), id="the action's normalizer dropped"),
]


@pytest.mark.parametrize("family", ["act", "smolvla"])
def test_an_honest_export_passes_with_room_to_spare(family: str, request: pytest.FixtureRequest) -> None:
    exported = request.getfixturevalue(family)
    report = judge(exported, exported.package.folder)
    assert report["max_error"] < TOLERANCE / 5


@pytest.mark.parametrize("change", [*ALL_FAMILIES, pytest.param(without_picture_statistics, id="the pictures' normalizer dropped")])
def test_a_wrong_act_is_caught(act: Exported, tmp_path: Path, change: Change) -> None:
    with pytest.raises(ParityError):
        judge(act, changed(act, tmp_path / "wrong", change))


@pytest.mark.parametrize(
    "change",
    [
        *ALL_FAMILIES,
        pytest.param(with_swapped_cameras, id="swapped cameras"),
        pytest.param(with_language(suffix=""), id="no newline after the instruction"),
        pytest.param(with_language(max_length=16), id="language of 16 tokens"),
    ],
)
def test_a_wrong_smolvla_is_caught(smolvla: Exported, tmp_path: Path, change: Change) -> None:
    with pytest.raises(ParityError):
        judge(smolvla, changed(smolvla, tmp_path / "wrong", change))


def test_act_cannot_tell_its_cameras_apart_so_their_order_is_no_mistake(act: Exported, tmp_path: Path) -> None:
    """All cameras have the same places in ACT's encoder, which has no order of its own; what is done to each picture goes by name."""
    assert judge(act, changed(act, tmp_path / "swapped", with_swapped_cameras))["max_error"] < TOLERANCE
    roof, wrist = act.package.preprocessing.images.values()
    with pytest.raises(ParityError):
        judge(act, changed(act, tmp_path / "wrong", recipes(images={"roof": wrist, "wrist": roof})))


def test_padding_in_the_centre_is_caught(smolvla: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    def centred(self: ResizeWithPad, picture: Any) -> Any:
        ratio = max(picture.shape[2] / self.width, picture.shape[1] / self.height)
        small = resize(picture, int(picture.shape[1] / ratio), int(picture.shape[2] / ratio), antialias=False)
        top, left = (self.height - small.shape[1]) // 2, (self.width - small.shape[2]) // 2
        padded = np.full((3, self.height, self.width), self.value, np.float32)
        padded[:, top : top + small.shape[1], left : left + small.shape[2]] = small
        return padded

    monkeypatch.setattr(ResizeWithPad, "__call__", centred)
    with pytest.raises(ParityError):
        judge(smolvla, smolvla.package.folder)


@pytest.mark.parametrize("graph", ["prefix", "step"])
def test_another_rope_base_is_caught(smolvla: Exported, tmp_path: Path, graph: str) -> None:
    folder = shutil.copytree(smolvla.package.folder, tmp_path / "wrong")
    model = onnx.load(folder / f"{graph}.onnx")
    exponents = np.arange(8) / 8  # heads of the tiny backbone are 16 wide
    small = [t for t in model.graph.initializer if int(np.prod(t.dims)) == 8]
    timescales = [t for t in small if np.allclose(numpy_helper.to_array(t).reshape(-1), 1e4**exponents)]
    assert timescales
    for tensor in timescales:
        shape = numpy_helper.to_array(tensor).shape
        tensor.CopyFrom(numpy_helper.from_array((1e5**exponents).astype(np.float32).reshape(shape), tensor.name))
    onnx.save(model, folder / f"{graph}.onnx")
    package = read_manifest(folder)
    graphs = [graph_of_file(folder, role=g.role, name=g.name, file=g.file) if g.name == graph else g for g in package.graphs]
    write_manifest(replace(package, graphs=tuple(graphs)))
    with pytest.raises(ParityError):
        judge(smolvla, folder)


def test_the_report_names_the_joint_the_unit_and_each_graphs_own_error(smolvla: Exported) -> None:
    parity = smolvla.package.parity
    assert parity["observations"] >= 20 and parity["tolerance"] == TOLERANCE
    assert 0 < parity["max_error"] <= TOLERANCE
    assert parity["measured_in"].startswith("standard deviation of the recorded actions")
    assert set(parity["max_abs"]) == set(smolvla.package.spec.joint_names)
    assert set(parity["graph_errors"]) == {"vision", "prefix", "context", "step"}
    assert all(0 <= e < 1e-5 for outputs in parity["graph_errors"].values() for e in outputs.values())


def test_a_graphs_own_error_shows_which_graph_is_wrong(smolvla: Exported) -> None:
    policy = open_policy(smolvla.package.folder)
    package = smolvla.package
    trace: dict[str, Any] = {"keys": np.ones((4, 1, 5, 2, 16), np.float32), "values": np.ones((4, 1, 5, 2, 16), np.float32)}
    only_context = replace(package, graphs=tuple(g for g in package.graphs if g.name == "context"))
    policy.package = only_context
    trace |= {"context_keys": trace["keys"] * 3, "context_values": trace["values"] * 3}
    assert min(graph_errors(policy, trace)["context"].values()) > 0.1


UNIT = ActionScale(np.array([10.0, 2.0]), "degrees")


@pytest.mark.parametrize(
    ("worst", "passes"),
    [([1e-3, 1e-4], True), ([1e-3, 3e-4], False), ([np.nan, 0.0], False), ([np.inf, 0.0], False), ([0.0, 0.0], True)],
)
def test_each_joint_is_measured_in_its_own_unit(worst: list[float], passes: bool) -> None:
    if passes:
        assert check_parity(("a", "b"), np.array(worst), UNIT, {"observations": 20})["observations"] == 20
        return
    with pytest.raises(ParityError) as caught:
        check_parity(("a", "b"), np.array(worst), UNIT, {"observations": 20})
    assert caught.value.report["observations"] == 20


def test_a_joint_that_never_moves_must_agree_exactly() -> None:
    still = ActionScale(np.array([0.0]), "degrees")
    assert check_parity(("a",), np.array([0.0]), still, {})["max_error"] == 0
    with pytest.raises(ParityError, match="at a"):
        check_parity(("a",), np.array([1e-9]), still, {})


def test_the_unit_is_the_closest_thing_to_a_standard_deviation_the_checkpoint_knows() -> None:
    quantiles = VectorRecipe("QUANTILES", {"q01": (0.0,), "q99": (8.0,)}, 1e-8, None)
    actions = np.array([[0.0], [2.0]], np.float32)
    observation: Any = None
    cases = (Case(observation, None, actions),)
    assert action_scale(quantiles, (3.0,), cases).values == [3.0]
    assert action_scale(quantiles, None, cases).values == [2.0]
    assert action_scale(identity(quantiles), None, cases).values == [1.0]
