"""Where graphs of other precisions lie between runs, by content: `<cache>/quantized/<fp32 sha256>-<precision>/`.

Beside the graph lies its receipt: size, hash, counts of quantized nodes and what made it. The runtime looks things up here; only
`quantization` puts them in. It knows nothing of how a graph is quantized.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vla_demo.core.errors import PackageError
from vla_demo.core.folders import whole_folder
from vla_demo.core.package import Decision, PolicyPackage, StageGraph
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.storage import fingerprint, graph_files, write_whole
from vla_demo.core.variant import Variant
from vla_demo.runtime.manifest import package_file
from vla_demo.runtime.strict_json import StrictJsonError, from_json, parse_json, to_json

__all__ = ["GraphStore", "Receipt", "located", "receipts", "reference_graphs"]

_GRAPH, _RECEIPT = "graph.onnx", "receipt.json"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a stored graph is and what made it."""

    graph: StageGraph  # `file` is relative to the store's folder
    made_with: Mapping[str, Any]  # scheme, versions, and the calibration where the scheme needs one
    decisions: tuple[Decision, ...] = ()  # one for each product with weights
    difference: Mapping[str, float] = field(default_factory=dict)  # output -> largest |FP32 - this| on a probe; empty without products


class GraphStore:
    """The quantized graphs under one cache folder."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "quantized"

    def path(self, graph: StageGraph) -> Path:
        """The file of a stored graph."""
        return self.folder / graph.file

    def find(self, fp32: StageGraph, precision: str) -> Receipt | None:
        """The stored counterpart of an FP32 graph, None when there is none. Raises `PackageError` when what lies there is damaged."""
        place = self._place(fp32, precision)
        if not place.exists():
            return None
        try:
            receipt: Receipt = from_json(Receipt, parse_json((place / _RECEIPT).read_text(encoding="utf-8")), "")
            size = sum(file.stat().st_size for file in graph_files(place / _GRAPH))
        except (OSError, StrictJsonError, ValueError) as problem:
            raise PackageError(f"the cached graph in {place} is damaged: {problem}") from problem
        if size != receipt.graph.size_bytes or self.path(receipt.graph) != place / _GRAPH:
            raise PackageError(f"the cached graph in {place} is damaged: its size or name is not what its receipt says")
        return receipt

    def is_intact(self, receipt: Receipt) -> bool:
        """Whether the stored bytes still have the receipt's hash; reads all of them."""
        return fingerprint(graph_files(self.path(receipt.graph))).sha256 == receipt.graph.sha256

    def put(self, fp32: StageGraph, precision: str, make: Callable[[Path], Receipt]) -> Receipt:
        """Let `make` write a graph to the path it is given and keep it; a reader sees all of it or nothing. Replaces what was there."""
        with whole_folder(self._place(fp32, precision)) as workshop:
            receipt = make(workshop / _GRAPH)
            write_whole(workshop / _RECEIPT, json.dumps(to_json(receipt), indent=1, allow_nan=False).encode())
        return receipt

    def drop(self, fp32: StageGraph, precision: str) -> None:
        """Remove the stored counterpart of an FP32 graph, if there is one."""
        shutil.rmtree(self._place(fp32, precision), ignore_errors=True)

    @staticmethod
    def stored_name(fp32: StageGraph, precision: str) -> str:
        """What `StageGraph.file` says for the counterpart of `fp32`: relative to the store's folder."""
        return f"{fp32.sha256}-{precision}/{_GRAPH}"

    def _place(self, fp32: StageGraph, precision: str) -> Path:
        return (self.folder / self.stored_name(fp32, precision)).parent


def reference_graphs(package: PolicyPackage) -> tuple[StageGraph, ...]:
    """The FP32 graphs, in running order."""
    listed = {(g.role, g.name): g for g in package.graphs if g.precision == REFERENCE_PRECISION}
    return tuple(listed[stage.role, graph.name] for stage in package.spec.stages for graph in stage.graphs)


def located(package: PolicyPackage, store: GraphStore, fp32: StageGraph, variant: Variant) -> tuple[StageGraph, Path]:
    """The graph that runs in the place of `fp32` in this variant, and its file: from the package, else from the store.

    Raises `PackageError` when neither has it, saying what makes it: a stage never falls back to FP32.
    """
    precision = variant.precision(fp32.role)
    for graph in package.graphs:
        if (graph.role, graph.name, graph.precision) == (fp32.role, fp32.name, precision):
            return graph, package_file(package.folder, graph.file)
    receipt = store.find(fp32, precision)
    if receipt is None:
        raise PackageError(
            f"the {precision} graph {fp32.name} of stage {fp32.role} has not been made yet; make it with "
            f"`vla-demo replay {package.folder} --variant {variant}` or vla_demo.quantization.prepare_variant"
        )
    return receipt.graph, store.path(receipt.graph)


def receipts(package: PolicyPackage, variant: Variant, cache: Path) -> tuple[Receipt, ...]:
    """Of the variant's graphs that lie in the store, in running order. Raises `PackageError` when one is damaged."""
    store = GraphStore(cache)
    found = (store.find(graph, variant.precision(graph.role)) for graph in reference_graphs(package))
    return tuple(receipt for receipt in found if receipt is not None)
