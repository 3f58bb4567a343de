"""The demo is where the environment says, else in the clone, else where it was fetched, else nowhere; and nowhere is said plainly."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from vla_demo.core.demo import ASSETS_VARIABLE, Demo, demo_in, fetched_folder, find_demo, require_demo
from vla_demo.core.errors import InvalidInput, MissingPiece


def made(folder: Path) -> Path:
    (folder / "episodes" / "meta").mkdir(parents=True)
    (folder / "episodes" / "meta" / "info.json").touch()
    return folder


def test_a_clone_has_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)
    assert find_demo() == require_demo() == Demo(ROOT / "assets" / "demo")
    parts = [require_demo().episodes, require_demo().calibration, require_demo().checkpoint("act"), require_demo().sensitivity("smolvla")]
    assert all(part.exists() for part in [*parts, require_demo().rollouts])


def test_a_folder_may_be_the_demo_or_the_clone_around_it() -> None:
    assert demo_in(ROOT) == demo_in(ROOT / "assets" / "demo") == Demo(ROOT / "assets" / "demo")
    assert demo_in(ROOT / "assets") is None


def test_the_environment_comes_first_and_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASSETS_VARIABLE, str(made(tmp_path / "other")))
    assert require_demo().folder == tmp_path / "other"
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    with pytest.raises(InvalidInput, match=f"VLA_DEMO_ASSETS names {tmp_path}, which is not the demo"):
        find_demo()


@pytest.mark.usefixtures("no_clone")
def test_without_a_clone_the_fetched_demo_is_used() -> None:
    made(fetched_folder())
    assert require_demo().folder == fetched_folder()


@pytest.mark.usefixtures("no_clone")
def test_nowhere_is_an_error_that_says_how_to_get_it() -> None:
    assert find_demo() is None
    with pytest.raises(MissingPiece, match=r"`vla-demo demo fetch FOLDER-OR-HUB-ID` gets them"):
        require_demo()
