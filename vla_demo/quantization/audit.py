"""Was it really quantized? Counts the products with weights before and after, by looking at the graphs; trusts no label."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.core.errors import QuantizationError

__all__ = ["Audit", "audited", "has_products", "quantizable_nodes", "quantized_nodes"]

_INTEGER_PRODUCTS = {"MatMulInteger", "ConvInteger"}
_PRODUCTS = {"MatMul", "Gemm", "Conv"}


@dataclass(frozen=True, slots=True)
class Audit:
    nodes: int  # products of an activation with weights in the FP32 graph
    quantized_nodes: int  # of those, how many are integer products now


def audited(before: Path, after: Path, what: str) -> Audit:
    """Count both graphs. Raises `QuantizationError` when there was something to quantize and nothing was."""
    found = Audit(quantizable_nodes(_structure(before)), quantized_nodes(_structure(after)))
    if found.nodes and not found.quantized_nodes:
        raise QuantizationError(f"{what}: none of its {found.nodes} products with weights became an integer product")
    return found


def has_products(graph: Path) -> bool:
    """Whether there is anything to quantize in a prepared FP32 graph."""
    return quantizable_nodes(_structure(graph)) > 0


def quantizable_nodes(model: Any) -> int:
    """Products whose second operand is an initializer."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return sum(node.op_type in _PRODUCTS and node.input[1] in weights for node in model.graph.node)


def quantized_nodes(model: Any) -> int:
    """Integer products."""
    return sum(node.op_type in _INTEGER_PRODUCTS for node in model.graph.node)


def _structure(path: Path) -> Any:
    import onnx

    return onnx.load(path, load_external_data=False)
