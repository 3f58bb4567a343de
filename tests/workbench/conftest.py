"""Nothing here touches the user's cache."""

from pathlib import Path

import pytest

from vla_demo.episodes import Dataset, open_dataset


@pytest.fixture
def dataset(episodes_folder: Path) -> Dataset:
    return open_dataset(episodes_folder)


@pytest.fixture(autouse=True)
def always_own_cache(own_cache: Path) -> Path:
    return own_cache
