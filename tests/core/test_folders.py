"""A folder appears whole or not at all."""

from pathlib import Path

import pytest

from vla_demo.core.folders import whole_folder


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_finished_folder_takes_its_place_and_leaves_nothing_beside(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a" / "out") as new:
        (new / "file").write_text("new")
        assert not (tmp_path / "a" / "out").exists()
    assert names(tmp_path / "a") == ["out"]
    assert (tmp_path / "a" / "out" / "file").read_text() == "new"


def test_an_older_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with whole_folder(tmp_path / "out") as new:
            (new / content).touch()
    assert names(tmp_path / "out") == ["new"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path: Path, failure: type[BaseException]) -> None:
    with whole_folder(tmp_path / "out") as new:
        (new / "old").touch()
    with pytest.raises(failure), whole_folder(tmp_path / "out") as new:
        (new / "half").touch()
        raise failure
    assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path) == ["out"]
