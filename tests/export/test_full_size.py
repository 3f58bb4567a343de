"""The default full-size configurations export within 8 GB. Minutes each: run with `pytest -m full_size`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vla_demo.export.parity import TOLERANCE
from vla_demo.runtime import read_manifest

GIGABYTE = 1e9
MAKE = """
import sys
from pathlib import Path
from tests.full_size_checkpoints import full_act, full_smolvla
{"act": full_act, "smolvla": full_smolvla}[sys.argv[1]](Path(sys.argv[2]))
"""
EXPORT = """
import json, resource, sys, time
from vla_demo.export import export_checkpoint

began = time.monotonic()
def say(text, fraction=None):
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{time.monotonic() - began:7.1f} s  {used:.2f} GB  {text}", file=sys.stderr, flush=True)
export_checkpoint(sys.argv[1], sys.argv[2], progress=say)
print(json.dumps({"seconds": time.monotonic() - began, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def python(code: str, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
    run = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, stdout=subprocess.PIPE, text=True)
    assert run.returncode == 0
    return run.stdout


@pytest.mark.full_size
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("family", "millions"), [("act", 51), ("smolvla", 450)])
def test_a_full_size_policy_is_exported_and_proven_within_8_gigabytes(family: str, millions: int, tmp_path: Path) -> None:
    python(MAKE, family, str(tmp_path / family))
    used: dict[str, Any] = json.loads(python(EXPORT, str(tmp_path / family), str(tmp_path / "package")).splitlines()[-1])
    package = read_manifest(tmp_path / "package")
    size = sum(graph.size_bytes for graph in package.graphs)
    print(f"{family}: {used['seconds']:.0f} s, peak {used['bytes'] / GIGABYTE:.2f} GB, graphs {size / GIGABYTE:.2f} GB, {package.parity}")
    assert used["bytes"] < 8 * GIGABYTE
    assert package.parity["max_error"] <= TOLERANCE and package.parity["observations"] >= 20
    assert (package.spec.chunk_size, len(package.spec.cameras)) == ({"act": 100, "smolvla": 50}[family], 3)
    assert 0.6 * 4e6 * millions < size < 1.2 * 4e6 * millions
