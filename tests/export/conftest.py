"""Real exports of tiny checkpoints, made once for the room, and what PyTorch answers to a few observations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tiny_checkpoints import tiny_act
from vla_demo.checkpoints import load_reference, resolve
from vla_demo.core.package import PolicyPackage
from vla_demo.export import export_checkpoint
from vla_demo.export.exporter import _answered
from vla_demo.export.observations import parity_inputs
from vla_demo.export.parity import Case


@dataclass(frozen=True)
class Exported:
    checkpoint: Path
    package: PolicyPackage
    progress: Sequence[tuple[str, float | None]]
    cases: tuple[Case, ...]  # one for each kind of instruction


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Its cameras are not those of the bundled episodes, so its proof rests on made-up observations."""
    folder = tmp_path_factory.mktemp("act")
    return _exported(tiny_act(folder / "checkpoint", cameras=("roof", "wrist")), folder / "package")


@pytest.fixture(scope="session")
def smolvla(smolvla_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return _exported(smolvla_checkpoint, tmp_path_factory.mktemp("smolvla") / "package")


def _exported(checkpoint: Path, out: Path) -> Exported:
    said: list[tuple[str, float | None]] = []
    package = export_checkpoint(str(checkpoint), out, progress=lambda text, fraction=None: said.append((text, fraction)))
    reference = load_reference(resolve(str(checkpoint)))
    sizes = {camera: (48, 64) for camera in reference.spec.cameras}
    inputs = parity_inputs(reference.spec, package.preprocessing, sizes, episodes=None)
    few = type(inputs)(inputs.source, inputs.observations[:6], inputs.noises[:6])
    return Exported(checkpoint, package, said, tuple(_answered(reference, few, lambda text, fraction=None: None)))
