"""How much a graph computes and reads, counted node by node: what a prediction of its time on another machine starts from."""

import tempfile
from contextlib import chdir
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from vla_demo.core.errors import QuantizationError

_TOKENS, _PREFIX = 48, 241  # SmolVLA's own: 48 words at most; 3 pictures of 64 tokens, the words and the state


@dataclass(frozen=True, slots=True)
class GraphWork:
    """One run of a graph. A multiplication and an addition are two operations."""

    weight_operations: int  # of products of an activation with weights
    other_operations: int  # of products of two activations: attention
    weight_bytes: int  # read once a run, as they are stored
    activation_bytes: int  # inputs and outputs of all products, FP32

    @property
    def operations(self) -> int:
        return self.weight_operations + self.other_operations


def graph_work(path: Path, tokens: int = _TOKENS, prefix: int = _PREFIX) -> GraphWork:
    """Counts MatMul, Gemm and Conv of an FP32 graph; everything else is small beside them.

    `tokens` (of the instruction) and `prefix` (pictures, words and state) are the lengths that an instruction decides.

    Raises `QuantizationError` when a product's shape cannot be inferred.
    """
    import onnx

    model = onnx.load(path, load_external_data=True)
    _pin(model, tokens, prefix)
    inferred = _inferred(model, path)
    shapes = {v.name: _shape(v) for v in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)}
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    total = GraphWork(0, 0, 0, 0)
    for node in inferred.graph.node:
        if node.op_type in ("MatMul", "Gemm", "Conv"):
            total = _added(total, _product(node, shapes | weights, node.input[1] in weights, path))
    return total


def _product(node: Any, shapes: dict[str, tuple[int, ...]], weighted: bool, path: Path) -> GraphWork:
    left, right, out = (shapes.get(name, ()) for name in (node.input[0], node.input[1], node.output[0]))
    if not left or not right or not out or min(*left, *right, *out) < 1:
        raise QuantizationError(
            f"{path.name}: the shapes of {node.name} ({left} by {right} to {out}) are not known, so it cannot be counted"
        )
    inner = prod(right[1:]) if node.op_type == "Conv" else left[-1]  # values that are multiplied and added for each output
    operations = 2 * prod(out) * inner
    moved = 4 * (prod(left) + prod(out))
    return GraphWork(operations if weighted else 0, 0 if weighted else operations, 4 * prod(right) if weighted else 0, moved)


def _added(a: GraphWork, b: GraphWork) -> GraphWork:
    return GraphWork(
        a.weight_operations + b.weight_operations,
        a.other_operations + b.other_operations,
        a.weight_bytes + b.weight_bytes,
        a.activation_bytes + b.activation_bytes,
    )


def _inferred(model: Any, path: Path) -> Any:
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    try:
        with tempfile.TemporaryDirectory() as scraps, chdir(scraps):  # it leaves what it could not infer in the working folder
            return SymbolicShapeInference.infer_shapes(model, auto_merge=True)
    except Exception as problem:  # its errors have no common base
        raise QuantizationError(f"{path.name}: its shapes are not known, so it cannot be counted: {problem}") from problem


def _pin(model: Any, tokens: int, prefix: int) -> None:
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = tokens if value.name.startswith("token") else prefix
    del model.graph.value_info[:]  # they still call the live lengths by name
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
