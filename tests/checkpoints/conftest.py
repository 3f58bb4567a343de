"""One tiny checkpoint of each family for the whole room; tests that change one copy it first."""

from pathlib import Path

import pytest

from tests.tiny_checkpoints import tiny_act, tiny_smolvla


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_act(tmp_path_factory.mktemp("checkpoints") / "act")


@pytest.fixture(scope="session")
def smolvla(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_smolvla(tmp_path_factory.mktemp("checkpoints") / "smolvla")
