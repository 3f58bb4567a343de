"""A package for a board: the exported one with the quantized graphs of a variant inside, since a board makes none itself."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from vla_demo.core.errors import PackageError
from vla_demo.core.folders import whole_folder
from vla_demo.core.package import MANIFEST_FILE, PolicyPackage, StageGraph
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.storage import cache_folder, graph_files
from vla_demo.core.variant import Variant
from vla_demo.runtime import GraphStore, read_manifest, reference_graphs, write_manifest

__all__ = ["packed_for_board"]


def packed_for_board(package: PolicyPackage, variant: Variant) -> PolicyPackage:
    """The same package when all runs in FP32. Raises `PackageError` for a graph that `prepare_variant` has not made yet."""
    chosen = [graph for graph in reference_graphs(package) if variant.precision(graph.role) != REFERENCE_PRECISION]
    if not chosen:
        return package
    place = cache_folder() / "board" / f"{package.folder.name}-{'-'.join(variant.precision(stage.role) for stage in package.spec.stages)}"
    with whole_folder(place) as folder:
        shutil.copytree(package.folder, folder, copy_function=_linked, ignore=shutil.ignore_patterns(MANIFEST_FILE), dirs_exist_ok=True)
        added = tuple(_put(graph, variant.precision(graph.role), folder) for graph in chosen)
        write_manifest(replace(package, folder=folder, graphs=package.graphs + added))
    return read_manifest(place)


def _put(fp32: StageGraph, precision: str, folder: Path) -> StageGraph:
    """In a folder of its own: a graph names the file of its weights."""
    store = GraphStore(cache_folder())
    receipt = store.find(fp32, precision)
    if receipt is None:
        raise PackageError(f"the {precision} graph {fp32.name} of stage {fp32.role} has not been made yet")
    name = f"{precision}/{fp32.role}-{fp32.name}/{Path(receipt.graph.file).name}"
    (folder / name).parent.mkdir(parents=True)
    for file in graph_files(store.path(receipt.graph)):
        _linked(str(file), str((folder / name).parent / file.name))
    return replace(receipt.graph, file=name)


def _linked(source: str, target: str) -> str:
    """No second copy of the bytes where the disk can do without."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
