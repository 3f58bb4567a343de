"""The W8A8 expert of a full-size SmolVLA with outliers put in: int8 fails, int8-smooth does not. Minutes: `pytest -m full_size`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.agreement import smallest_cosine
from tests.outliers import with_outliers
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.quantization.calibration import Calibration
from vla_demo.runtime import read_manifest

EXPORT = """
import sys
from pathlib import Path
from tests.full_size_checkpoints import full_smolvla
from vla_demo.export import export_checkpoint
folder = Path(sys.argv[1])
export_checkpoint(str(full_smolvla(folder / "checkpoint")), folder / "package")
"""

pytestmark = [pytest.mark.full_size, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    """Random weights of 450 M parameters."""
    folder = tmp_path_factory.mktemp("full")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", EXPORT, str(folder)], env=environment, check=True)
    return read_manifest(folder / "package")


def seen(package: PolicyPackage, seed: int) -> Observation:
    """Patches of color with some grain, other joints each time."""
    generator, spec = np.random.default_rng(seed), package.spec
    patches = {camera: np.kron(generator.uniform(0, 255, (12, 16, 3)), np.ones((40, 40, 1))) for camera in spec.cameras}
    pictures = {camera: np.clip(p + generator.normal(0, 8, p.shape), 0, 255).astype(np.uint8) for camera, p in patches.items()}
    joints = generator.uniform(-50, 50, len(spec.joint_names)).astype(np.float32)
    return Observation(pictures, joints, "Grab the tea bag.", 0.0)


def test_it_agrees_where_plain_int8_demonstrably_does_not(package: PolicyPackage, tmp_path: Path) -> None:
    outlying = with_outliers(package, tmp_path / "outlying", factor=100.0, channels=8)
    calibration = Calibration("patches of color", "train", (0,), (seen(package, 0),))
    judged = [seen(package, seed) for seed in (1, 2)]
    plain, smooth = (
        smallest_cosine(outlying, {"expert": precision}, judged, calibration, tmp_path / "cache") for precision in ("int8", "int8-smooth")
    )
    assert plain < 0.98
    assert smooth >= 0.999
