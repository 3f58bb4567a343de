"""The layers of a stage by name, read from its exported FP32 graphs without preparing them. Knows no precision."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vla_demo.core.package import PolicyPackage
from vla_demo.runtime import reference_graphs
from vla_demo.runtime.manifest import package_file

__all__ = ["graph_layers", "stage_layers"]

_PRODUCTS = {"MatMul", "Gemm", "Conv"}


def stage_layers(package: PolicyPackage, role: str) -> dict[str, list[str]]:
    """Names of the products with weights: graph -> layers, in running order."""
    graphs = [graph for graph in reference_graphs(package) if graph.role == role]
    return {graph.name: graph_layers(package_file(package.folder, graph.file)) for graph in graphs}


def graph_layers(graph: Path) -> list[str]:
    """Products whose second operand depends on no input; it may still stand behind a Transpose, as the exporter writes it."""
    import onnx

    model = onnx.load(graph, load_external_data=False)
    makers = {output: node for node in model.graph.node for output in node.output}
    fixed = {tensor.name: True for tensor in model.graph.initializer} | {port.name: False for port in model.graph.input}
    return [node.name for node in model.graph.node if node.op_type in _PRODUCTS and _is_fixed(node.input[1], makers, fixed)]


def _is_fixed(tensor: str, makers: Mapping[str, Any], fixed: dict[str, bool]) -> bool:
    waiting = [tensor]
    while waiting:  # no recursion: graphs are deeper than Python's stack
        name = waiting[-1]
        inputs = [i for i in makers[name].input if i] if name in makers and name not in fixed else []
        unknown = [i for i in inputs if i not in fixed]
        if unknown:
            waiting += unknown
            continue
        fixed.setdefault(name, all(fixed[i] for i in inputs))
        waiting.pop()
    return fixed[tensor]
