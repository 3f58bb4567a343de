"""The tiny packages, a cache of the test's own, and graphs of a few nodes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.fakes import tiny_act_package, tiny_smolvla_package
from vla_demo.core.package import PolicyPackage

SaveGraph = Callable[..., Path]
Weights = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("packages") / "act")


@pytest.fixture(scope="session")
def smolvla(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("packages") / "smolvla")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def save_graph(tmp_path: Path) -> SaveGraph:
    """Save a graph that reads `x` and answers `y`."""

    def save(nodes: Sequence[Any], weights: Weights, shape: Sequence[int], name: str = "fp32.onnx", **options: Any) -> Path:
        ports = [[helper.make_tensor_value_info(port, TensorProto.FLOAT, dims)] for port, dims in (("x", shape), ("y", None))]
        graph = helper.make_graph(nodes, "graph", *ports, initializer=[numpy_helper.from_array(w, n) for n, w in weights.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(model, tmp_path / name, **options)
        return tmp_path / name

    return save
