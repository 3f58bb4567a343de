"""Manifests: a package reads back as it was written, and whatever was tampered with is refused in words."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vla_demo.core.errors import PackageError
from vla_demo.core.package import MANIFEST_FILE, PolicyPackage
from vla_demo.runtime import read_manifest, write_manifest
from vla_demo.runtime.manifest import package_file, verify_package


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((folder / MANIFEST_FILE).read_text())
    change(document)
    (folder / MANIFEST_FILE).write_text(json.dumps(document))


@pytest.mark.parametrize("name", ["act", "smolvla"])
def test_a_package_reads_back_as_it_was_written(name: str, request: pytest.FixtureRequest) -> None:
    package: PolicyPackage = request.getfixturevalue(name)
    assert read_manifest(str(package.folder)) == package
    verify_package(package)


def test_a_folder_without_a_manifest_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="vla-demo export"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("version", [None, 0, 1, 3, "2", True, 2.0])
def test_another_version_is_refused(copied: Path, version: object) -> None:
    edit(copied, lambda d: d.update(manifest_version=version))
    with pytest.raises(PackageError, match="reads version 2"):
        read_manifest(copied)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("spec"), "lacks spec"),
        (lambda d: d.update(more=1), "unknown field more"),
        (lambda d: d["graphs"][0].pop("sha256"), r"graphs\[0\] lacks sha256"),
        (lambda d: d["graphs"][0].update(size_bytes=1), "has .* bytes, the manifest says 1"),
        (lambda d: d["graphs"][0].update(file="../outside.onnx"), "not inside the package"),
        (lambda d: d["graphs"][0].update(file="/etc/passwd"), "not inside the package"),
        (lambda d: d["graphs"][0].update(file="a\\..\\b"), "not inside the package"),
        (lambda d: d["graphs"][0].update(file=""), "not inside the package"),
        (lambda d: d["graphs"][0].update(file="nowhere.onnx"), "nowhere.onnx is missing"),
        (lambda d: d["preprocessing"]["language"].update(tokenizer_file="../t.json"), "not inside the package"),
        (lambda d: d["preprocessing"]["language"].update(tokenizer_file="t.json"), "t.json is missing"),
    ],
)
def test_a_changed_manifest_is_refused(copied: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    read_manifest(copied)
    edit(copied, change)
    with pytest.raises(PackageError, match=message):
        read_manifest(copied)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"a": NaN}', b" " * (5 << 20)])
def test_a_file_that_is_no_manifest_is_refused(copied: Path, content: bytes) -> None:
    (copied / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(PackageError):
        read_manifest(copied)


def test_a_missing_or_cut_graph_is_refused_on_opening(copied: Path) -> None:
    graph = copied / "step.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(PackageError, match=r"step\.onnx .* bytes"):
        read_manifest(copied)
    graph.unlink()
    with pytest.raises(PackageError, match=r"step\.onnx is missing"):
        read_manifest(copied)


def test_a_graph_of_the_right_size_with_another_content_is_found_by_its_hash(copied: Path) -> None:
    content = bytearray((copied / "step.onnx").read_bytes())
    content[-20] ^= 1
    (copied / "step.onnx").write_bytes(bytes(content))
    with pytest.raises(PackageError, match="sha256"):
        verify_package(read_manifest(copied))


def test_a_link_that_leads_out_of_the_package_is_refused(copied: Path, tmp_path: Path) -> None:
    outside = (copied / "step.onnx").rename(tmp_path / "outside.onnx")
    (copied / "step.onnx").symlink_to(outside)
    with pytest.raises(PackageError, match="leads out"):
        read_manifest(copied)


def test_names_in_folders_of_the_package_are_fine(tmp_path: Path) -> None:
    assert package_file(tmp_path, "graphs/a.onnx") == tmp_path / "graphs" / "a.onnx"


def test_what_could_not_be_read_back_is_not_written(smolvla: PolicyPackage) -> None:
    before = (smolvla.folder / MANIFEST_FILE).read_bytes()
    for parity in ({"max_abs": float("nan")}, {"when": object()}):
        with pytest.raises(PackageError, match="cannot be written"):
            write_manifest(dataclasses.replace(smolvla, parity=parity))
    assert (smolvla.folder / MANIFEST_FILE).read_bytes() == before
