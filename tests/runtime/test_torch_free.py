"""What runs on a board stays light: a package is opened and run without any of the heavy libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package

HEAVY = ("torch", "torchvision", "lerobot", "transformers", "gradio", "plotly", "mujoco", "onnx", "pyarrow", "av", "huggingface_hub")
RUN = """
import sys, numpy as np
from vla_demo.core.observation import Observation
from vla_demo.runtime import open_policy
{planted}
policy = open_policy({folder!r})
images = {{camera: np.zeros((48, 64, 3), np.uint8) for camera in policy.spec.cameras}}
noise = None if policy.spec.noise_shape is None else np.zeros(policy.spec.noise_shape, np.float32)
policy.predict_chunk(Observation(images, np.zeros(6, np.float32), "Grab the mug.", 0.0), noise=noise)
print(*sorted({heavy!r} & {{name.partition(".")[0] for name in sys.modules}}))
"""


def heavy_modules_after_running(folder: Path, planted: str = "") -> list[str]:
    script = RUN.format(folder=str(folder), heavy=set(HEAVY), planted=planted)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


@pytest.mark.parametrize("make", [tiny_act_package, tiny_smolvla_package])
def test_running_a_package_loads_nothing_heavy(make: object, tmp_path: Path) -> None:
    package = make(tmp_path / "package")  # type: ignore[operator]
    assert heavy_modules_after_running(package.folder) == []


def test_a_heavy_import_would_be_seen(tmp_path: Path) -> None:
    """The negative control."""
    package = tiny_act_package(tmp_path / "package")
    assert heavy_modules_after_running(package.folder, planted="import onnx") == ["onnx"]
