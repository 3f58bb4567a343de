"""One module to one file: reproducible, with large weights beside it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from vla_demo.core.errors import PackageError
from vla_demo.core.policy import GraphSpec
from vla_demo.export import graphs
from vla_demo.runtime.sessions import GraphFile, Session

SPEC = GraphSpec("vision", ("pixels",), ("features",), False)
PIXELS = {"pixels": torch.linspace(-1, 1, 24).reshape(2, 12)}


@pytest.fixture
def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 3))


def run(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    return Session(GraphFile(path, "")).run({"pixels": PIXELS["pixels"].numpy()})["features"]


def test_the_file_computes_what_the_module_computes_and_has_the_same_bytes_again(module: nn.Module, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        graphs.write_graph(module, SPEC, PIXELS, tmp_path / name)
    wanted = graphs.run_module(module, SPEC, PIXELS)["features"]
    np.testing.assert_allclose(run(tmp_path / "a.onnx"), wanted, atol=1e-6)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_weights_too_large_for_one_file_lie_beside_it(module: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "_MAX_IN_ONE_FILE", 100)
    graphs.write_graph(module, SPEC, PIXELS, tmp_path / "vision.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["vision.onnx", "vision.onnx.data"]
    np.testing.assert_allclose(run(tmp_path / "vision.onnx"), graphs.run_module(module, SPEC, PIXELS)["features"], atol=1e-6)


def test_a_module_pytorch_cannot_export_is_named(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum().item() > 0 else -x

    with pytest.raises(PackageError, match="cannot export the graph vision"):
        graphs.write_graph(Odd(), SPEC, PIXELS, tmp_path / "vision.onnx")


def test_each_product_is_called_after_its_module_and_no_two_alike(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared, self.last = nn.Linear(12, 12), nn.Linear(12, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.shared(self.shared(x).relu()))  # type: ignore[no-any-return]

    graphs.write_graph(Twice(), SPEC, PIXELS, tmp_path / "vision.onnx")
    products = [node.name for node in onnx.load(tmp_path / "vision.onnx").graph.node if node.op_type in ("MatMul", "Gemm")]
    assert products == ["shared", "shared.2", "last"]
