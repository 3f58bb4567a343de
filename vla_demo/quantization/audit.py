"""Was it really quantized? Compares the products with weights of both graphs by looking at them; trusts no label and no decision."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.core.errors import QuantizationError
from vla_demo.core.package import Decision
from vla_demo.core.precision import Precision

__all__ = ["Audit", "Product", "audited", "found_bits", "graph_products", "has_products", "products", "weight_bits"]

_PRODUCTS = {"MatMul", "Gemm", "Conv"}
_INTEGER_PRODUCTS = {"MatMulInteger", "ConvInteger", "MatMulIntegerToFloat"}
_FLOAT32, _FLOAT16 = 1, 10  # TensorProto's element types
_ELEMENT_BITS = {2: 8, 3: 8, _FLOAT16: 16, 21: 4, 22: 4}  # uint8, int8, float16, uint4, int4


@dataclass(frozen=True, slots=True)
class Product:
    """An activation times weights, as a graph has it."""

    layer: str
    operation: str  # "MatMul" | "Gemm" | "Conv"
    weight: str  # name of the FP32 initializer
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts, and FP32 bytes of weights: of all products, and of those whose weights have fewer bits now."""

    nodes: int
    quantized_nodes: int
    weight_bytes: int = 0
    quantized_weight_bytes: int = 0


def audited(before: Path, after: Path, what: str, decisions: Sequence[Decision] | None = None) -> Audit:
    """Compare both graphs and, when given, the decisions with what is there.

    Raises `QuantizationError` when there was something to quantize and nothing was, when a layer is gone, or when a decision does not
    describe its layer.
    """
    there, now = products(_structure(before)), found_bits(_structure(after))
    lost = [product.layer for product in there if product.layer not in now]
    if lost:
        raise QuantizationError(f"the products {', '.join(lost[:5])} are not in the quantized graph any more", what)
    quantized = [product for product in there if now[product.layer] < 32]
    if there and not quantized and not _all_explained(decisions):
        raise QuantizationError(f"none of its {len(there)} products with weights was quantized", what)
    if decisions is not None:
        _check(there, now, decisions, what)
    return Audit(len(there), len(quantized), sum(p.weight_bytes for p in there), sum(p.weight_bytes for p in quantized))


def graph_products(graph: Path) -> list[Product]:
    """The products with weights of a prepared graph's file."""
    return products(_structure(graph))


def has_products(graph: Path) -> bool:
    """Whether there is anything to quantize in a prepared FP32 graph."""
    return bool(products(_structure(graph)))


def products(model: Any) -> list[Product]:
    """Products whose second operand is an FP32 initializer, in the graph's order. The layer is the node's name."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == _FLOAT32}
    return [
        Product(node.name, node.op_type, node.input[1], 4 * _size(weights[node.input[1]]))
        for node in model.graph.node
        if node.op_type in _PRODUCTS and node.input[1] in weights
    ]


def found_bits(model: Any) -> dict[str, int]:
    """Bits of the weights of each product with weights: layer -> 32, 16, 8, 4 or 2."""
    weights = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    bits = {node.name: _bits(node, weights, makers) for node in model.graph.node}
    return {layer: count for layer, count in bits.items() if count is not None}


def weight_bits(precision: str) -> int:
    """What a decision's precision says the weights are: "int4-b64" is 4, "fp16" is 16, "fp32" is 32."""
    scheme = Precision.parse(precision).scheme
    return {"fp32": 32, "fp16": 16, "int4": 4, "int2": 2}.get(scheme, 8)


def _bits(node: Any, weights: Mapping[str, int], makers: Mapping[str, Any]) -> int | None:
    """None when it is no product with weights."""
    if node.op_type == "MatMulNBits":
        return next(int(attribute.i) for attribute in node.attribute if attribute.name == "bits")
    if node.op_type in _INTEGER_PRODUCTS:
        return 8
    if node.op_type not in _PRODUCTS:
        return None
    if node.input[1] in weights:
        return 32
    maker = makers.get(node.input[1])
    if maker is None or maker.op_type not in ("Cast", "DequantizeLinear") or maker.input[0] not in weights:
        return None
    return _ELEMENT_BITS.get(weights[maker.input[0]])


def _all_explained(decisions: Sequence[Decision] | None) -> bool:
    """Whether each product stayed in FP32 for a reason, as where a recipe leaves one graph of a stage alone; the stage is checked too."""
    return bool(decisions) and all(decision.precision == "fp32" and decision.reason for decision in decisions or ())


def _check(there: Sequence[Product], now: Mapping[str, int], decisions: Sequence[Decision], what: str) -> None:
    decided = {decision.layer: decision for decision in decisions}
    if Counter(d.layer for d in decisions) != Counter(p.layer for p in there):
        odd = {d.layer for d in decisions} ^ {p.layer for p in there}
        raise QuantizationError(f"decisions and products do not match: {', '.join(sorted(odd)[:5]) or 'one is decided twice'}", what)
    for product in there:
        decision = decided[product.layer]
        if weight_bits(decision.precision) != now[product.layer]:
            raise QuantizationError(f"{product.layer} was to be {decision.precision}, its weights have {now[product.layer]} bits", what)
        if decision.weight_bytes != product.weight_bytes:
            raise QuantizationError(f"{product.layer} has {product.weight_bytes} bytes of weights, not {decision.weight_bytes}", what)


def _size(tensor: Any) -> int:
    count = 1
    for dimension in tensor.dims:
        count *= dimension
    return count


def _structure(path: Path) -> Any:
    import onnx

    return onnx.load(path, load_external_data=False)
