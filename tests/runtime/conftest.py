"""The two tiny packages, made once; tests that break one copy it first."""

import shutil
from pathlib import Path

import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package
from vla_demo.core.package import PolicyPackage


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("packages") / "act")


@pytest.fixture(scope="session")
def smolvla(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("packages") / "smolvla")


@pytest.fixture
def copied(smolvla: PolicyPackage, tmp_path: Path) -> Path:
    """A SmolVLA package that may be damaged."""
    return Path(shutil.copytree(smolvla.folder, tmp_path / "package"))
