"""Stages in other precisions, made on demand and kept by content: the package's folder is only read.

A kept graph is used again when it was made by the same scheme and versions from the same FP32 bytes, and is still what it was.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vla_demo.core.errors import InvalidInput, MissingPiece, PackageError, QuantizationError, UnknownVariant
from vla_demo.core.extras import install
from vla_demo.core.package import Decision, PolicyPackage, StageGraph
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.storage import cache_folder, fingerprint, graph_files
from vla_demo.core.variant import Variant
from vla_demo.quantization.audit import audited, has_products, weight_bits
from vla_demo.quantization.calibration import Calibration, everywhere
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.mixed import Mixed
from vla_demo.quantization.preparation import prepare_graph
from vla_demo.quantization.proof import proven_different
from vla_demo.quantization.schemes import Scheme
from vla_demo.runtime import GraphStore, reference_graphs
from vla_demo.runtime.graph_store import Receipt
from vla_demo.runtime.manifest import package_file

__all__ = ["prepare_variant", "quantize_stage", "quantized_graph"]

Progress = Callable[[str, float], None]
"""Told what is being made and the share, 0..1, of the stages that are ready; raise `Stopped` in it to stop between two stages."""

_making = threading.Lock()  # one at a time: each takes several times the graph's size in memory, and two callers may want the same


def prepare_variant(
    package: PolicyPackage,
    variant: Variant,
    cache: Path | None = None,
    progress: Progress | None = None,
    calibration: Calibration | None = None,
) -> list[StageGraph]:
    """Make whatever graphs `variant` still lacks; answers all its graphs in running order. `open_policy` finds them in the same `cache`.

    Raises `QuantizationError` when a stage that asked for a precision got no node of it.
    """
    made: list[StageGraph] = []
    for done, stage in enumerate(variant.stages):
        if progress is not None:
            progress(f"{stage.role} in {stage.precision}", done / len(variant.stages))
        made += quantize_stage(package, stage.role, stage.precision, cache, calibration)
    return made


def quantize_stage(
    package: PolicyPackage, role: str, precision: str, cache: Path | None = None, calibration: Calibration | None = None
) -> tuple[StageGraph, ...]:
    """All graphs of one stage in one precision.

    Raises `UnknownVariant` listing what is valid, `InvalidInput` for a precision that needs a calibration and got none, and
    `QuantizationError` as above.
    """
    graphs = [graph for graph in reference_graphs(package) if graph.role == role]
    if not graphs:
        roles = ", ".join(stage.role for stage in package.spec.stages)
        raise UnknownVariant(f"{package.spec.family} has no stage {role}; its stages are {roles}")
    if precision != REFERENCE_PRECISION:
        scheme = scheme_for(precision, cache)
        if isinstance(scheme, Mixed):
            scheme.check_fits(package, role)
    made = tuple(quantized_graph(package, graph, precision, cache, calibration) for graph in graphs)
    if precision != REFERENCE_PRECISION and not any(graph.quantized_nodes for graph in made):
        raise QuantizationError(_reasons(graphs, precision, cache), f"the stage {role} of {package.folder} cannot run in {precision}")
    return made


def quantized_graph(
    package: PolicyPackage, graph: StageGraph, precision: str, cache: Path | None = None, calibration: Calibration | None = None
) -> StageGraph:
    """The counterpart of one FP32 graph, `file` relative to `<cache>/quantized`; the graph itself for FP32.

    A graph without any product with weights is kept as it is, with counts of 0 that say so; whether its stage may have such a graph is
    `quantize_stage`'s question. Raises `UnknownVariant`, `InvalidInput` and `QuantizationError` as that does, and `PackageError` when the
    FP32 file is not the one the manifest describes.
    """
    if precision == REFERENCE_PRECISION:
        return graph
    scheme = scheme_for(precision, cache)
    if scheme.needs_calibration and calibration is None:
        raise InvalidInput(f"{precision} fixes its scales beforehand and needs training episodes to find them; give a calibration")
    made_with = _made_with(scheme, calibration)  # first: it says what is not installed
    order = _Order(package, graph, precision, scheme, calibration)
    store = GraphStore(cache or cache_folder())
    with _making:
        kept = _find_kept(store, graph, precision, made_with)
        if kept is not None:
            return kept
        return store.put(graph, precision, lambda target: _make(order, target, made_with)).graph


def _reasons(graphs: Sequence[StageGraph], precision: str, cache: Path | None) -> str:
    """Why nothing of a stage was quantized. Its graphs leave the store: under this name they would be found and run."""
    store = GraphStore(cache or cache_folder())
    receipts = [receipt for receipt in (store.find(graph, precision) for graph in graphs) if receipt is not None]
    for graph in graphs:
        store.drop(graph, precision)
    reasons = dict.fromkeys(decision.reason for receipt in receipts for decision in receipt.decisions)
    return "; ".join(reasons) or "it has no product with weights"


@dataclass(frozen=True, slots=True)
class _Order:
    """One graph to be made."""

    package: PolicyPackage
    graph: StageGraph
    precision: str
    scheme: Scheme
    calibration: Calibration | None

    def __str__(self) -> str:
        return f"{self.graph.name} of stage {self.graph.role} in {self.precision}"


def _find_kept(store: GraphStore, graph: StageGraph, precision: str, made_with: Mapping[str, Any]) -> StageGraph | None:
    try:
        receipt = store.find(graph, precision)
    except PackageError:
        return None  # damaged: it will be replaced
    if receipt is None or receipt.made_with != made_with or not store.is_intact(receipt):
        return None
    return receipt.graph


def _make(order: _Order, target: Path, made_with: Mapping[str, Any]) -> Receipt:
    graph, source = order.graph, package_file(order.package.folder, order.graph.file)
    if fingerprint(graph_files(source)).sha256 != graph.sha256:
        # Else a package could leave a graph of its choice in the cache under another package's hash.
        raise PackageError(f"{source} is not the file its manifest describes; export the checkpoint again")
    with tempfile.TemporaryDirectory(dir=target.parent) as workshop:
        prepared = Path(workshop) / target.name
        prepare_graph(source, prepared)
        decisions = _quantize(order, prepared, target)
        audit = audited(prepared, target, str(order), decisions)
    only_half = all(weight_bits(decision.precision) >= 16 for decision in decisions)
    difference = proven_different(source, target, str(order), may_be_equal=only_half) if audit.quantized_nodes else {}
    found, name = fingerprint(graph_files(target)), GraphStore.stored_name(graph, order.precision)
    stage = StageGraph(graph.role, graph.name, order.precision, name, found.size_bytes, found.sha256, **asdict(audit))
    return Receipt(stage, made_with, tuple(decisions), difference)


def _quantize(order: _Order, prepared: Path, target: Path) -> Sequence[Decision]:
    if has_products(prepared):
        feeds = order.calibration.feeds(order.package, order.graph) if order.calibration is not None else None
        return order.scheme.apply(prepared, target, everywhere, feeds)
    for file in graph_files(prepared):
        shutil.copy(file, target.parent)
    return ()


def _made_with(scheme: Scheme, calibration: Calibration | None) -> Mapping[str, Any]:
    made_with = dict(scheme.settings()) | {"onnxruntime": _version("onnxruntime"), "onnx": _version("onnx")}
    if scheme.needs_calibration and calibration is not None:
        made_with["calibration"] = calibration.identity()
    return made_with


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        raise MissingPiece(f"quantizing needs {distribution}; install it with {install('app')}") from None
