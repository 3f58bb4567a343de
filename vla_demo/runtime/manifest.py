"""`manifest.json` of an exported package: written once by the exporter, read strictly by everything after it.

A package may come from anybody, so nothing in the file is believed: names stay inside the folder, sizes are compared on every opening and
hashes when `verify_package` is asked to. What the numbers in the graphs mean is the policy's business.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vla_demo.core.errors import PackageError
from vla_demo.core.package import MANIFEST_FILE, MANIFEST_VERSION, PolicyPackage, Preprocessing, StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.storage import fingerprint, graph_files, write_whole
from vla_demo.runtime.package_check import check_consistency
from vla_demo.runtime.strict_json import StrictJsonError, from_json, parse_json, to_json

__all__ = ["graph_of_file", "package_file", "read_manifest", "verify_package", "write_manifest"]

_MAX_BYTES = 4 << 20  # a manifest is some 20 KB; refuse to parse a gigabyte somebody sent


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The document as it stands in the file; `PolicyPackage` without its folder, and the version."""

    manifest_version: int
    spec: PolicySpec
    graphs: tuple[StageGraph, ...]
    preprocessing: Preprocessing
    parity: Mapping[str, Any]
    provenance: Mapping[str, Any]


def write_manifest(package: PolicyPackage) -> None:
    """Write `manifest.json` into the package's folder, whole or not at all. Raises `PackageError` for what `read_manifest` would refuse."""
    _check(package)
    manifest = _Manifest(MANIFEST_VERSION, package.spec, package.graphs, package.preprocessing, package.parity, package.provenance)
    try:
        text = json.dumps(to_json(manifest), indent=1, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as problem:
        raise PackageError(f"the manifest of {package.folder} cannot be written: {problem}") from problem
    write_whole(package.folder / MANIFEST_FILE, (text + "\n").encode())


def read_manifest(folder: Path | str) -> PolicyPackage:
    """Read and check a package; sizes of all files are compared, hashes are not (see `verify_package`).

    Raises `PackageError`: no package there, another version, a missing or unknown field, a file that is missing or has another size.
    """
    folder = Path(folder)
    try:
        manifest: _Manifest = from_json(_Manifest, _document(folder / MANIFEST_FILE), "")
    except StrictJsonError as problem:
        raise PackageError(f"{folder / MANIFEST_FILE}: {problem}") from problem
    package = PolicyPackage(folder, manifest.spec, manifest.graphs, manifest.preprocessing, manifest.parity, manifest.provenance)
    _check(package)
    return package


def verify_package(package: PolicyPackage) -> None:
    """Compare the sha256 of every graph with the manifest; reads every byte. Raises `PackageError` naming the first that differs."""
    for graph in package.graphs:
        found = fingerprint(graph_files(package_file(package.folder, graph.file))).sha256
        if found != graph.sha256:
            raise PackageError(
                f"{graph.file} in {package.folder} is not the file that was exported: its sha256 is {found[:12]}…, "
                f"the manifest says {graph.sha256[:12]}…; export the checkpoint again"
            )


def package_file(folder: Path, name: str) -> Path:
    """The path of a file named by a manifest. Raises `PackageError` for a name that would leave the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or any(c in name for c in "\\:\0"):
        raise PackageError(f"{folder / MANIFEST_FILE} names the file {name!r}, which is not inside the package")
    path = folder.joinpath(*parts)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PackageError(f"{path} leads out of the package")
    return path


def graph_of_file(folder: Path, *, role: str, name: str, file: str) -> StageGraph:
    """The manifest's entry for an FP32 graph that lies in `folder`: size and sha256 as measured, nothing quantized."""
    found = fingerprint(graph_files(package_file(folder, file)))
    return StageGraph(role, name, REFERENCE_PRECISION, file, found.size_bytes, found.sha256, nodes=0, quantized_nodes=0)


def _document(path: Path) -> Any:
    """The parsed JSON of a manifest of this program's version."""
    try:
        document = parse_json(_text(path))
    except json.JSONDecodeError as problem:
        raise PackageError(f"{path} is not JSON: {problem}") from problem
    version = document.get("manifest_version") if isinstance(document, dict) else None
    if type(version) is not int or version != MANIFEST_VERSION:
        raise PackageError(f"{path} has version {version!r} and this program reads version {MANIFEST_VERSION}; export the checkpoint again")
    return document


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PackageError(f"{path} is larger than any manifest this program writes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise PackageError(f"{path} is not UTF-8 text") from problem
    except OSError as problem:
        raise PackageError(
            f"{path.parent} is not an exported package: {path.name} cannot be read ({problem.strerror}); "
            f"make one with `vla-demo export CHECKPOINT --out {path.parent}`"
        ) from problem


def _check(package: PolicyPackage) -> None:
    check_consistency(package)
    for graph in package.graphs:
        path = package_file(package.folder, graph.file)
        if not path.is_file():
            raise PackageError(f"{package.folder} is incomplete: {graph.file} is missing; export the checkpoint again")
        size = sum(file.stat().st_size for file in graph_files(path))
        if size != graph.size_bytes:
            raise PackageError(
                f"{graph.file} in {package.folder} has {size} bytes, the manifest says {graph.size_bytes}; export the checkpoint again"
            )
    language = package.preprocessing.language
    if language is not None and not package_file(package.folder, language.tokenizer_file).is_file():
        raise PackageError(f"{package.folder} is incomplete: {language.tokenizer_file} is missing; export the checkpoint again")
