"""Convolutions to dynamic int8 with a scale for each output channel (ONNX Runtime's own rewriting has one for all of them).

y = x * w + b becomes y = integers(q(x), q(w)) * (scale_x * scale_w[channel]) + b, with scale_x taken from x at run time. The integers come
from one of two forms that answer the same bits: a matrix product over gathered patches, which ONNX Runtime runs 2 to 3 times as fast as
the FP32 convolution (1.32, x86-64 with VNNI), or ConvInteger, which runs about as fast as FP32 but takes any convolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantize_convolutions", "weight_codes"]

_SHIFT = 128  # zero point of the weights of ConvInteger, which is some ten times slower on signed ones
_FEWEST_CHANNELS = 16  # with fewer, as in the first layer, gathering patches costs more than it saves
_LAST = np.iinfo(np.int64).max


@dataclass
class _Rewriting:
    """The graph as it is written anew."""

    model: Any
    nodes: list[Any] = field(default_factory=list)
    made: set[str] = field(default_factory=set)  # outputs that several convolutions share

    def node(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))
        return outputs[0]

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def shared(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """A node that is written once, however many convolutions want it."""
        if outputs[0] not in self.made:
            self.made.add(outputs[0])
            self.node(kind, inputs, *outputs, **attributes)
        return outputs[0]


def quantize_convolutions(model: Any) -> int:
    """Replace each Conv with constant weights in an `onnx.ModelProto`, in place; answers how many."""
    from onnx import numpy_helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    rewriting, count = _Rewriting(model), 0
    for node in list(model.graph.node):
        if node.op_type == "Conv" and node.input[1] in weights:
            _convolution(rewriting, node, numpy_helper.to_array(weights[node.input[1]]))
            count += 1
        else:
            rewriting.nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(rewriting.nodes)
    _drop_unused(model)
    return count


def weight_codes(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(O, ...) to codes -127..127 of the same shape and a scale (O,): weight is about codes * scale."""
    reach = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    scale = np.where(reach > 0, reach / np.float32(127), np.float32(1)).astype(np.float32)
    codes = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).clip(-127, 127)
    return codes.astype(np.int8), scale


def _convolution(to: _Rewriting, node: Any, weight: NDArray[np.float32]) -> None:
    source = node.input[0]
    to.shared("DynamicQuantizeLinear", [source], f"{source}_codes", f"{source}_scale", f"{source}_zero")
    codes, scale = weight_codes(weight)
    if _gathers(node, weight):
        _patch_product(to, node, codes, scale)
    else:
        _integer_convolution(to, node, codes, scale)


def _gathers(node: Any, weight: NDArray[np.float32]) -> bool:
    attributes = _attributes(node)
    plain = attributes.get("group", 1) == 1 and attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    return plain and weight.ndim == 4 and weight.shape[1] >= _FEWEST_CHANNELS


def _integer_convolution(to: _Rewriting, node: Any, codes: NDArray[np.int8], scale: NDArray[np.float32]) -> None:
    source, output = node.input[0], node.output[0]
    stored = to.constant(f"{output}_weight", (codes.astype(np.int16) + _SHIFT).astype(np.uint8))
    shift = to.constant(f"{output}_shift", np.array(_SHIFT, np.uint8))
    sums = to.node("ConvInteger", [f"{source}_codes", stored, f"{source}_zero", shift], f"{output}_sum", **_attributes(node))
    along_channels = (1, -1, *[1] * (codes.ndim - 2))
    scaled = _scaled(to, node, sums, scale.reshape(along_channels), output if not _bias(node) else f"{output}_scaled")
    if _bias(node):
        shape = to.constant(f"{output}_spread", np.array(along_channels, np.int64))
        to.node("Add", [scaled, to.node("Reshape", [_bias(node), shape], f"{output}_bias")], output)


def _patch_product(to: _Rewriting, node: Any, codes: NDArray[np.int8], scale: NDArray[np.float32]) -> None:
    """Channels last: the patches (N, h, w, kh*kw*C) times the weights (kh*kw*C, O); then back to channels first."""
    source, output = node.input[0], node.output[0]
    patches = _patches(to, node, codes.shape[2:])
    stored = to.constant(f"{output}_weight", codes.transpose(2, 3, 1, 0).reshape(-1, len(codes)))
    zeros = to.constant(f"{output}_shift", np.zeros(len(codes), np.int8))
    sums = to.node("MatMulInteger", [patches, stored, f"{source}_zero", zeros], f"{output}_sum")
    last = _scaled(to, node, sums, scale, f"{output}_scaled")
    if _bias(node):
        last = to.node("Add", [last, _bias(node)], f"{output}_biased")
    to.node("Transpose", [last], output, perm=[0, 3, 1, 2])


def _patches(to: _Rewriting, node: Any, kernel: tuple[int, ...]) -> str:
    """For each place of the kernel the pixels under it, as one strided slice of the padded picture, side by side."""
    source, output, attributes = node.input[0], node.output[0], _attributes(node)
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    picture = to.shared("Transpose", [f"{source}_codes"], f"{source}_last", perm=[0, 2, 3, 1])
    if any((top, left, bottom, right)):
        pads = to.constant(f"{output}_pads", np.array([0, top, left, 0, 0, bottom, right, 0]))
        picture = to.node("Pad", [picture, pads, f"{source}_zero"], f"{output}_padded")
    axes, steps = to.constant(f"{output}_axes", np.array([1, 2])), to.constant(f"{output}_steps", np.array(strides))
    slices = []
    for place in np.ndindex(*kernel):
        # From the end, so that any size of picture will do: the last place reads to the end, the others stop as far before it.
        first = np.array([p * d for p, d in zip(place, dilations, strict=True)])
        stop = first - np.array([(k - 1) * d for k, d in zip(kernel, dilations, strict=True)])
        name = f"{output}_at_{place[0]}_{place[1]}"
        ends = [to.constant(f"{name}_first", first), to.constant(f"{name}_stop", np.where(stop < 0, stop, _LAST))]
        slices.append(to.node("Slice", [picture, *ends, axes, steps], name))
    return slices[0] if len(slices) == 1 else to.node("Concat", slices, f"{output}_patches", axis=3)


def _scaled(to: _Rewriting, node: Any, sums: str, scale: NDArray[np.float32], out: str) -> str:
    source, output = node.input[0], node.output[0]
    as_float = to.node("Cast", [sums], f"{output}_float", to=1)  # TensorProto.FLOAT
    factor = to.node("Mul", [f"{source}_scale", to.constant(f"{output}_weight_scale", scale)], f"{output}_factor")
    return to.node("Mul", [as_float, factor], out)


def _bias(node: Any) -> str:
    """The name of the bias, empty when there is none."""
    return str(node.input[2]) if len(node.input) > 2 else ""


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _drop_unused(model: Any) -> None:
    """The FP32 weights nobody reads any more would still be written, and counted as bytes of the int8 graph."""
    read = {name for node in model.graph.node for name in node.input} | {output.name for output in model.graph.output}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
