"""The bundled SmolVLA's own graphs: folding leaves them as they are, and its W8A8 expert agrees with FP32 on validation episodes.

So it does with activation outliers put in, where plain int8 demonstrably does not.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.agreement import smallest_cosine
from tests.outliers import with_outliers
from vla_demo.core.demo import require_demo
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.episodes import open_dataset
from vla_demo.quantization.calibration import Calibration, everywhere
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.proof import differences, probe_inputs
from vla_demo.quantization.row_scales import scale_rows
from vla_demo.quantization.smoothing import smooth_graph
from vla_demo.quantization.stages import prepare_variant
from vla_demo.runtime.manifest import package_file
from vla_demo.workbench.calibrations import calibration_on
from vla_demo.workbench.datasets import dataset_for

EXACT = 1e-5  # relative to the largest value of an output
ALIKE = 0.999  # cosine of a chunk
GRAPHS = ("vision", "prefix", "context", "step")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def package(bundled_smolvla: PolicyPackage) -> PolicyPackage:
    return bundled_smolvla


@pytest.fixture(scope="module")
def outlying(package: PolicyPackage, cache: Path) -> PolicyPackage:
    return with_outliers(package, cache / "outlying", factor=150.0)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    whole = calibration_on(open_dataset(require_demo().calibration), [0])
    return Calibration(whole.source, whole.split, whole.episodes, whole.observations[::2])


@pytest.fixture(scope="module")
def validation() -> list[Observation]:
    dataset = dataset_for(None)
    episodes = [dataset.episode(e.index) for e in dataset.episodes if e.split == "validation"]
    return [episode.frame(len(episode) * (place + 1) // 12).observation for place, episode in enumerate(episodes)]


@pytest.mark.parametrize("graph", GRAPHS)
def test_row_scales_leave_fp32_as_it_was(graph: str, package: PolicyPackage, tmp_path: Path) -> None:
    prepared = prepared_graph(package, graph, tmp_path)
    scale_rows(prepared, tmp_path / "rows.onnx", everywhere)
    assert worst_difference(prepared, tmp_path / "rows.onnx") < EXACT


@pytest.mark.parametrize("graph", GRAPHS)
def test_smoothing_leaves_fp32_as_it_was(graph: str, package: PolicyPackage, calibration: Calibration, tmp_path: Path) -> None:
    prepared = prepared_graph(package, graph, tmp_path)
    feeds = calibration.feeds(package, next(g for g in package.graphs if g.name == graph))
    done = smooth_graph(prepared, tmp_path / "smooth.onnx", feeds, everywhere, worth=1.0)
    assert worst_difference(prepared, tmp_path / "smooth.onnx") < EXACT
    assert sum(seam.alpha is not None for seam in done) > 0.5 * len(done)


def prepared_graph(package: PolicyPackage, name: str, folder: Path) -> Path:
    graph = next(g for g in package.graphs if g.name == name)
    prepare_graph(package_file(package.folder, graph.file), folder / "prepared.onnx")
    return folder / "prepared.onnx"


def worst_difference(graph: Path, other: Path) -> float:
    """Of any output, relative to its largest value (the difference to a graph of zeros would be 1)."""
    probe = probe_inputs(graph)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    sizes = {n: float(np.abs(v).max()) for n, v in zip(names, session.run(names, dict(probe)), strict=True) if v.dtype.kind == "f"}
    return max(largest / sizes[name] for name, largest in differences(graph, other, probe).items())


@pytest.fixture(scope="module")
def agreement(cache: Path, calibration: Calibration, validation: list[Observation]) -> Callable[[PolicyPackage, str], float]:
    """The smallest cosine of a chunk against FP32 on the validation episodes, with the expert in a precision."""
    return lambda package, precision: smallest_cosine(package, {"expert": precision}, validation, calibration, cache)


def test_the_w8a8_expert_agrees_on_validation_episodes(package: PolicyPackage, agreement: Callable[[PolicyPackage, str], float]) -> None:
    smooth = agreement(package, "int8-smooth")
    assert smooth >= ALIKE
    assert smooth >= agreement(package, "int8") - 1e-5  # where nothing outlies it costs nothing either


def test_it_agrees_with_outliers_where_plain_int8_does_not(
    outlying: PolicyPackage, agreement: Callable[[PolicyPackage, str], float]
) -> None:
    assert agreement(outlying, "int8") < ALIKE - 0.002
    assert agreement(outlying, "int8-smooth") >= ALIKE


@pytest.mark.parametrize("role", ["vision", "llm"])
def test_other_stages_take_it_too(role: str, package: PolicyPackage, cache: Path, calibration: Calibration) -> None:
    made = prepare_variant(package, Variant.of(package.spec, {role: "int8-smooth"}), cache, calibration=calibration)
    assert all(graph.quantized_nodes == graph.nodes > 30 for graph in made if graph.role == role)
