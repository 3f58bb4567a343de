"""Seams: places where the channels of an activation can be scaled without changing what a prepared graph computes.

A seam is an activation that only products with weights read. Its channels can be divided by any scale when the rows of those weights are
multiplied by it; where the activation itself comes out of constants (a norm's weight, another product's columns), the division goes into
them and costs nothing. It knows nothing of quantization.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vla_demo.quantization.rewriting import Rewriting

__all__ = ["GraphView", "Seam", "find_seams", "separate_vectors"]

_FLOAT32 = 1  # TensorProto's element type


@dataclass(frozen=True, slots=True)
class Seam:
    """An activation (..., K) and who reads it."""

    activation: str
    readers: tuple[str, ...]  # layers: MatMul nodes with weights (K, N)
    weights: tuple[str, ...]  # their initializers, in the same order
    channels: int  # K
    folds: tuple[str, ...]  # initializers whose last axis is K and can take the division; empty: it needs a product of its own


class GraphView:
    """Who makes and who reads each tensor of an `onnx.ModelProto`, read without its external weights."""

    def __init__(self, model: Any) -> None:
        graph = model.graph
        self.nodes: Sequence[Any] = graph.node
        self.shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer if tensor.data_type == _FLOAT32}
        self.makers = {output: node for node in graph.node for output in node.output}
        self.reads = Counter(name for node in graph.node for name in node.input) + Counter(output.name for output in graph.output)
        self._readers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def readers(self, tensor: str) -> list[Any]:
        return self._readers.get(tensor, [])

    def is_layer(self, node: Any) -> bool:
        """Whether a node is a product of an activation with a weight matrix that nobody else reads."""
        return node.op_type == "MatMul" and len(self.shapes.get(node.input[1], ())) == 2 and self.reads[node.input[1]] == 1

    def is_constant(self, tensor: str) -> bool:
        """Whether this is an FP32 initializer that one node reads."""
        return tensor in self.shapes and self.reads[tensor] == 1


def separate_vectors(to: Rewriting) -> None:
    """Norms whose weights happen to be equal share one constant after optimization; here each gets its own again."""
    shared = GraphView(to.model)
    for name, shape in shared.shapes.items():
        if len(shape) == 1 and shared.reads[name] > 1:
            to.separate(name)


def find_seams(model: Any) -> list[Seam]:
    """Every activation whose readers include products with weights only; in the graph's order."""
    view, found = GraphView(model), {}
    for node in view.nodes:
        if view.is_layer(node) and node.input[0] not in found:
            found[node.input[0]] = _seam(view, node.input[0])
    return [seam for seam in found.values() if seam is not None]


def _seam(view: GraphView, activation: str) -> Seam | None:
    readers = view.readers(activation)
    layers = [node for node in readers if view.is_layer(node) and node.input[0] == activation]
    if activation in view.shapes:
        return None  # a constant is no activation
    channels = view.shapes[layers[0].input[1]][0]
    alone = len(layers) == view.reads[activation]  # somebody else would read divided channels
    folds = tuple(_folds(view, activation, channels)) if alone else ()
    return Seam(activation, tuple(n.name for n in layers), tuple(n.input[1] for n in layers), channels, folds)


def _folds(view: GraphView, tensor: str, channels: int) -> list[str]:
    """The constants to divide so that every value of `tensor` is divided; none when there is no such set."""
    node = view.makers.get(tensor)
    if node is None:
        return []
    match node.op_type:
        case "Mul":
            return _one_factor(view, node, channels)
        case "Add":
            return _both_addends(view, node, channels)
        case "LayerNormalization":
            constants = list(node.input[1:])
            return constants if all(_spans(view, name, channels) for name in constants) else []
        case "MatMul":
            return [node.input[1]] if view.is_layer(node) and view.shapes[node.input[1]][1] == channels else []
        case "Relu":  # a positive factor passes through
            return _readers_behind(view, node.input[0], channels)
    return []


def _one_factor(view: GraphView, node: Any, channels: int) -> list[str]:
    for factor in node.input:
        if _spans(view, factor, channels):
            return [factor]
    return next((found for factor in node.input if (found := _readers_behind(view, factor, channels))), [])


def _both_addends(view: GraphView, node: Any, channels: int) -> list[str]:
    found = [[name] if _spans(view, name, channels) else _readers_behind(view, name, channels) for name in node.input]
    return [name for names in found for name in names] if all(found) else []


def _readers_behind(view: GraphView, tensor: str, channels: int) -> list[str]:
    """As `_folds`, for a tensor that nobody else may read."""
    return _folds(view, tensor, channels) if view.reads[tensor] == 1 else []


def _spans(view: GraphView, name: str, channels: int) -> bool:
    return view.is_constant(name) and view.shapes[name] == (channels,)
