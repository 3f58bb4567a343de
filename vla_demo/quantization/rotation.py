"""Rotation of the residual stream: every token's vector is turned by one orthogonal matrix, which spreads outlying channels over all.

Exact where every reader of the stream is an RMSNorm: without its weight that commutes with a rotation, and the weight goes into the
products behind it (QuaRot, arXiv 2404.00456). What writes to the stream turns its columns; what comes from elsewhere gets a product of its
own, called `ROTATION`. It knows nothing of quantization.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import QuantizationError
from vla_demo.quantization.rewriting import Rewriting, rewriting
from vla_demo.quantization.seams import GraphView, separate_vectors

__all__ = ["ROTATION", "orthogonal", "rotate_graph"]

ROTATION = "rotation"  # the layer that a rotation adds where no weight can take it
_RMS = ("Mul", "Reciprocal", "Sqrt", "Add", "ReduceMean", "Pow")  # how x / rms(x) is exported, from its end

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: str  # initializer (K,)
    normalized: str  # x / rms(x)
    layers: tuple[Any, ...]  # what reads the weighted result


@dataclass
class _Stream:
    """Tensors (..., K) that are sums of one another, and what borders on them."""

    norms: list[_Norm] = field(default_factory=list)
    tensors: set[str] = field(default_factory=set)
    writers: list[Any] = field(default_factory=list)  # layers whose columns turn
    biases: set[str] = field(default_factory=set)  # (K,) initializers that turn
    entries: list[str] = field(default_factory=list)  # tensors that come from elsewhere


def rotate_graph(prepared: Path, target: Path, seed: int) -> None:
    """Write the graph with its residual stream turned. Raises `QuantizationError` where not every reader of the stream is an RMSNorm."""
    with rewriting(prepared, target) as to:
        separate_vectors(to)
        view = GraphView(to.model)
        stream = _stream(view)
        width = view.shapes[stream.norms[0].weight][0]
        turn = orthogonal(width, seed)
        for node in to.model.graph.node:
            to.keep(node)
            for entry in set(stream.entries).intersection(node.output):
                _turn_entry(to, node, entry, turn)
        for norm in stream.norms:
            _fold_norm(to, norm, turn)
        for layer in stream.writers:
            to.constant(layer.input[1], (to.weight(layer.input[1]).astype(np.float64) @ turn).astype(np.float32))
        for bias in stream.biases:
            to.constant(bias, (to.weight(bias).astype(np.float64) @ turn).astype(np.float32))


def orthogonal(width: int, seed: int) -> Array:
    """(width, width): a Hadamard matrix with random signs; for 720 = 16 * 45 its product with a small random orthogonal one."""
    generator = np.random.default_rng(seed)
    power = width & -width
    hadamard: Array = np.ones((1, 1))
    while len(hadamard) < power:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    odd, _ = np.linalg.qr(generator.standard_normal((width // power, width // power)))
    signs = generator.choice([-1.0, 1.0], width)
    turn: Array = signs[:, None] * np.kron(odd, hadamard / np.sqrt(power))
    return turn


def _turn_entry(to: Rewriting, node: Any, entry: str, turn: Array) -> None:
    """What `node` calls `entry` gets another name, and the turned tensor takes this one."""
    before = f"{entry}_before_rotation"
    node.output[list(node.output).index(entry)] = before
    matrix = to.constant(f"{entry}_rotation", turn.astype(np.float32))
    to.node("MatMul", [before, matrix], entry, name=ROTATION)


def _fold_norm(to: Rewriting, norm: _Norm, turn: Array) -> None:
    weight = to.weight(norm.weight).astype(np.float64)
    for layer in norm.layers:
        to.constant(layer.input[1], (turn.T @ (weight[:, None] * to.weight(layer.input[1]))).astype(np.float32))
    to.constant(norm.weight, np.ones_like(weight, np.float32))


def _stream(view: GraphView) -> _Stream:
    stream = _Stream()
    inner: set[int] = set()  # nodes that belong to a norm
    for node in view.nodes:
        found = _rms_norm(view, node)
        if found is not None:
            norm, source, nodes = found
            stream.norms.append(norm)
            inner |= {id(n) for n in nodes}
            _grow(view, source, stream)
    if not stream.norms:
        raise QuantizationError("this graph cannot be rotated: it has no RMSNorm whose every reader is a product with weights")
    _check_borders(view, stream, inner)
    return stream


def _check_borders(view: GraphView, stream: _Stream, inner: set[int]) -> None:
    for tensor in stream.tensors:
        readers = view.readers(tensor)
        strange = [n.name for n in readers if id(n) not in inner and not set(n.output) & stream.tensors]
        if strange or len(readers) < view.reads[tensor]:
            raise QuantizationError(
                f"this graph cannot be rotated: {' '.join(strange) or 'an output'} reads its residual stream without a norm"
            )
        if tensor in stream.entries and tensor not in view.makers:
            raise QuantizationError(f"this graph cannot be rotated: its residual stream begins with {tensor}, which no node makes")


def _rms_norm(view: GraphView, node: Any) -> tuple[_Norm, str, list[Any]] | None:
    """`node` multiplies a normalized tensor by the norm's weight: Mul(w, Mul(x, Reciprocal(Sqrt(Add(ReduceMean(Pow(x)))))))."""
    if node.op_type != "Mul" or not any(view.is_constant(name) and len(view.shapes[name]) == 1 for name in node.input):
        return None
    weight = next(name for name in node.input if view.is_constant(name))
    chain = list(_chain(view, next(name for name in node.input if name != weight)))
    if len(chain) < len(_RMS):
        return None
    source, layers = chain[-1].input[0], view.readers(node.output[0])
    if source not in chain[0].input or not all(view.is_layer(layer) for layer in layers):
        return None
    return _Norm(weight, chain[0].output[0], tuple(layers)), source, chain


def _chain(view: GraphView, tensor: str) -> Iterator[Any]:
    """From x / rms(x) up to the square of x, as far as it goes."""
    names = [tensor]
    for kind in _RMS:
        makers = [view.makers[name] for name in names if name in view.makers]
        node = next((maker for maker in makers if maker.op_type == kind), None)
        if node is None:
            return
        yield node
        names = list(node.input)


def _grow(view: GraphView, tensor: str, stream: _Stream) -> None:
    """Add a tensor of the stream and everything that is summed up in it."""
    if tensor in stream.tensors:
        return
    stream.tensors.add(tensor)
    node = view.makers.get(tensor)
    if node is not None and node.op_type == "Add":
        biases = [name for name in node.input if view.is_constant(name) and len(view.shapes[name]) == 1]
        stream.biases.update(biases)
        for name in node.input:
            if name not in biases:
                _grow(view, name, stream)
    elif node is not None and view.is_layer(node):
        stream.writers.append(node)
    else:
        stream.entries.append(tensor)
