"""Convolutions to dynamic int8 with a scale for each output channel (ONNX Runtime's own rewriting has one for all of them)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantize_convolutions", "weight_codes"]

_SHIFT = 128  # zero point of the stored weights: uint8 that mean symmetric int8


def quantize_convolutions(model: Any) -> int:
    """Replace each Conv with constant weights in an `onnx.ModelProto`, in place; answers how many.

    y = x * w + b becomes y = ConvInteger(q(x), q(w)) * (scale_x * scale_w[channel]) + b, with scale_x taken from x at run time.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    quantized_inputs: set[str] = set()
    nodes: list[Any] = []
    count = 0
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1] in weights:
            nodes += _quantized_input(node.input[0], quantized_inputs)
            nodes += _integer_convolution(model, node, weights)
            count += 1
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _drop_unused(model)
    return count


def weight_codes(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(O, ...) to codes of the same shape and a scale (O,): weight is about (code - 128) * scale."""
    reach = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    scale = np.where(reach > 0, reach / np.float32(127), np.float32(1)).astype(np.float32)
    codes = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).clip(-127, 127) + _SHIFT
    return codes.astype(np.uint8), scale


def _quantized_input(name: str, done: set[str]) -> list[Any]:
    """Quantize an activation once, however many convolutions read it."""
    from onnx import helper

    if name in done:
        return []
    done.add(name)
    outputs = [f"{name}_conv_codes", f"{name}_conv_scale", f"{name}_conv_zero"]
    return [helper.make_node("DynamicQuantizeLinear", [name], outputs, name=f"{name}_conv_quantize")]


def _integer_convolution(model: Any, node: Any, weights: Mapping[str, Any]) -> list[Any]:
    from onnx import TensorProto, helper, numpy_helper

    source, output = node.input[0], node.output[0]
    weight = numpy_helper.to_array(weights[node.input[1]])
    codes, scale = weight_codes(weight)
    spread = (1, -1, *[1] * (weight.ndim - 2))  # along the channels of (N, O, ...)

    def stored(suffix: str, value: NDArray[Any]) -> str:
        model.graph.initializer.append(numpy_helper.from_array(value, f"{output}_{suffix}"))
        return f"{output}_{suffix}"

    inputs = [f"{source}_conv_codes", stored("weight", codes), f"{source}_conv_zero", stored("shift", np.array(_SHIFT, np.uint8))]
    integer = helper.make_node("ConvInteger", inputs, [f"{output}_sum"], name=f"{node.name or output}_quant")
    integer.attribute.extend(node.attribute)
    scaled = f"{output}_scaled" if _has_bias(node) else output
    nodes = [
        integer,
        helper.make_node("Cast", [f"{output}_sum"], [f"{output}_cast"], name=f"{output}_cast", to=TensorProto.FLOAT),
        helper.make_node(
            "Mul",
            [f"{source}_conv_scale", stored("weight_scale", scale.reshape(spread))],
            [f"{output}_scale"],
            name=f"{output}_scale",
        ),
        helper.make_node("Mul", [f"{output}_cast", f"{output}_scale"], [scaled], name=scaled),
    ]
    if _has_bias(node):
        bias = helper.make_node("Reshape", [node.input[2], stored("spread", np.array(spread, np.int64))], [f"{output}_bias"])
        nodes += [bias, helper.make_node("Add", [scaled, f"{output}_bias"], [output], name=f"{output}_add")]
    return nodes


def _has_bias(node: Any) -> bool:
    return len(node.input) > 2 and bool(node.input[2])


def _drop_unused(model: Any) -> None:
    """The FP32 weights nobody reads any more would still be written, and counted as bytes of the int8 graph."""
    read = {name for node in model.graph.node for name in node.input} | {output.name for output in model.graph.output}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
