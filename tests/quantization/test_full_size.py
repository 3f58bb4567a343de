"""Every scheme works on full-size stages, and on a stage of more than 2 GB, within 8 GB. Minutes: run with `pytest -m full_size`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from vla_demo.core.precision import OFFERED_PRECISIONS

GIGABYTE = 1e9
SCHEMES = [*(p for p in OFFERED_PRECISIONS if p != "fp32"), "int8-static-percentile", "int4-a8"]
WIDTH, LAYERS = 12_288, 4  # 4 * 604 MB

EXPORT = """
import sys
from pathlib import Path
from tests.full_size_checkpoints import full_act, full_smolvla
from vla_demo.export import export_checkpoint
family, folder = sys.argv[1], Path(sys.argv[2])
export_checkpoint(str({"act": full_act, "smolvla": full_smolvla}[family](folder / "checkpoint")), folder / "package")
"""
QUANTIZE = """
import json, resource, sys
from pathlib import Path
import numpy as np
from vla_demo.core.observation import Observation
from vla_demo.quantization import quantize_stage
from vla_demo.quantization.calibration import Calibration
from vla_demo.runtime import read_manifest

package, precision, cache = read_manifest(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
generator, spec = np.random.default_rng(0), package.spec
pictures = {camera: generator.integers(0, 256, (480, 640, 3), dtype=np.uint8) for camera in spec.cameras}
seen = Observation(pictures, generator.uniform(-50, 50, len(spec.joint_names)).astype(np.float32), "Grab the tea bag.", 0.0)
calibration = Calibration("random pictures", "train", (0,), (seen,))
roles = [s.role for s in spec.stages if (spec.family, s.role, precision) != ("act", "vision", "int8-smooth")]  # a ResNet: nothing to smooth
graphs = [graph for role in roles for graph in quantize_stage(package, role, precision, cache, calibration)]
print(json.dumps({
    "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "share": sum(g.quantized_weight_bytes for g in graphs) / sum(g.weight_bytes for g in graphs),
    "size": sum(g.size_bytes for g in graphs) / sum(g.size_bytes for g in package.graphs),
}))
"""
APPLY = """
import json, resource, sys
from pathlib import Path
import numpy as np
from vla_demo.core.storage import fingerprint, graph_files
from vla_demo.quantization import scheme_for
from vla_demo.quantization.audit import audited
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.proof import probe_inputs, proven_different

source, precision, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
prepared, target = folder / "prepared.onnx", folder / "target.onnx"
prepare_graph(source, prepared)
decisions = scheme_for(precision).apply(prepared, target, everywhere, [probe_inputs(prepared)])
found = audited(prepared, target, precision, decisions)
proven_different(source, target, precision)
print(json.dumps({
    "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "share": found.quantized_weight_bytes / found.weight_bytes,
    "size": fingerprint(graph_files(target)).size_bytes / found.weight_bytes,
}))
"""

pytestmark = [pytest.mark.full_size, pytest.mark.timeout(1800)]


def python(code: str, *arguments: str) -> Any:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
    run = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.PIPE, text=True)
    assert run.returncode == 0
    return json.loads(run.stdout.splitlines()[-1]) if run.stdout.strip() else None


@pytest.fixture(scope="module", params=["act", "smolvla"])
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the sizes people train; its export is another test's business."""
    folder = tmp_path_factory.mktemp(request.param)
    python(EXPORT, request.param, str(folder))
    return folder / "package"


@pytest.fixture(scope="module")
def beyond_protobuf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage of 2.4 GB, its weights beside it."""
    opsets = [helper.make_opsetid("", 18)]
    path = tmp_path_factory.mktemp("large") / "large.onnx"
    names, tensors = [f"layer{i}" for i in range(LAYERS)], []
    with path.with_name("large.onnx.data").open("wb") as data:
        for seed, name in enumerate(names):
            tensor = TensorProto(
                name=f"{name}.weight", data_type=TensorProto.FLOAT, dims=(WIDTH, WIDTH), data_location=TensorProto.EXTERNAL
            )
            for key, value in (("location", "large.onnx.data"), ("offset", str(data.tell())), ("length", str(4 * WIDTH * WIDTH))):
                tensor.external_data.add(key=key, value=value)
            tensors.append(tensor)
            rows = np.random.default_rng(seed).standard_normal((64, WIDTH), dtype=np.float32) / 100
            data.write(np.tile(rows, (WIDTH // 64, 1)).tobytes())
    chain = ["x", *(f"h{i}" for i in range(LAYERS - 1)), "y"]
    nodes = [helper.make_node("MatMul", [chain[i], f"{n}.weight"], [chain[i + 1]], name=n) for i, n in enumerate(names)]
    ports = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH])] for name in "xy"]
    model = helper.make_model(helper.make_graph(nodes, "large", *ports, tensors), opset_imports=opsets, ir_version=10)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("precision", SCHEMES)
def test_every_stage_in_every_scheme_within_8_gb(package: Path, precision: str, tmp_path: Path) -> None:
    found = python(QUANTIZE, str(package), precision, str(tmp_path))
    assert found["bytes"] < 8 * GIGABYTE
    assert found["share"] > 0.95
    assert found["size"] < (0.7 if precision == "fp16" else 0.5)


@pytest.mark.parametrize("precision", SCHEMES)
def test_a_stage_beyond_2_gb_within_8_gb(beyond_protobuf: Path, precision: str, tmp_path: Path) -> None:
    found = python(APPLY, str(beyond_protobuf), precision, str(tmp_path))
    assert found["bytes"] < 8 * GIGABYTE
    assert found["share"] == 1
    assert found["size"] < (0.51 if precision == "fp16" else 0.3)
