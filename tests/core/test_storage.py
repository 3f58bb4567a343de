"""Cache folder, fingerprints and files that appear whole."""

import hashlib
from pathlib import Path

import pytest

from vla_demo.core.storage import CACHE_VARIABLE, cache_folder, fingerprint, graph_files, write_whole


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_lies_in_the_home_folder_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(CACHE_VARIABLE, value)
    assert cache_folder() == tmp_path / ".cache" / "vla-demo"


def test_a_fingerprint_covers_the_graph_and_then_its_weights(tmp_path: Path) -> None:
    graph, weights = tmp_path / "a.onnx", tmp_path / "a.onnx.data"
    graph.write_bytes(b"graph")
    weights.write_bytes(b"weights")
    found = fingerprint(graph_files(graph))
    assert (found.size_bytes, found.sha256) == (12, hashlib.sha256(b"graphweights").hexdigest())


def test_a_graph_without_weights_beside_it_is_one_file(tmp_path: Path) -> None:
    assert graph_files(tmp_path / "a.onnx") == (tmp_path / "a.onnx",)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()
    with pytest.raises(OSError):
        write_whole(tmp_path / "taken", b"content")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
