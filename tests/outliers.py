"""Activation outliers put into a package: what trained language models have and random weights lack, and what plain int8 fails on."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import PolicyPackage
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.rewriting import rewriting
from vla_demo.quantization.seams import Seam, find_seams, separate_vectors
from vla_demo.runtime import graph_of_file, write_manifest


def with_outliers(package: PolicyPackage, folder: Path, graph: str = "step", factor: float = 100.0, channels: int = 4) -> PolicyPackage:
    """A copy of the package that computes the same in FP32, and one of whose graphs has a few channels `factor` times as large.

    Where constants can take it (a norm's weight, the columns of the product before), they are multiplied in some channels and the rows of
    the weights that read them divided.
    """
    shutil.copytree(package.folder, folder)
    old = next(g for g in package.graphs if g.name == graph)
    prepared = folder / "prepared.onnx"
    prepare_graph(folder / old.file, prepared)
    inject(prepared, folder / old.file, factor, channels)
    for file in folder.glob("prepared.onnx*"):
        file.unlink()
    new = graph_of_file(folder, role=old.role, name=old.name, file=old.file)
    changed = dataclasses.replace(package, folder=folder, graphs=tuple(new if g == old else g for g in package.graphs))
    write_manifest(changed)
    return changed


def inject(prepared: Path, target: Path, factor: float, channels: int, chosen: Callable[[Seam], bool] = lambda seam: True) -> None:
    """The same for one prepared graph file."""
    generator = np.random.default_rng(5)
    multiplied: dict[str, NDArray[np.float64]] = {}
    divided: dict[str, NDArray[np.float64]] = {}
    with rewriting(prepared, target) as to:
        separate_vectors(to)
        for seam in find_seams(to.model):
            if seam.folds and chosen(seam):
                size = np.ones(seam.channels)
                size[generator.choice(seam.channels, channels, replace=False)] = factor * generator.uniform(0.6, 1.2, channels)
                multiplied |= dict.fromkeys(seam.folds, size)
                divided |= dict.fromkeys(seam.weights, size)
        for name in {*multiplied, *divided}:
            rows = divided.get(name, np.ones(1))[:, None] if name in divided else 1.0
            to.constant(name, (to.weight(name) / rows * multiplied.get(name, 1.0)).astype(np.float32))
        for node in to.model.graph.node:
            to.keep(node)
