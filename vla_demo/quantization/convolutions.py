"""Convolutions as matrix products over gathered patches, and as dynamic int8 (ONNX Runtime's own rewriting has one scale for all channels).

Channels last: the patches (N, h, w, kh*kw*C) times the weights (kh*kw*C, O), then back to channels first. What the product is, is the
caller's business. In dynamic int8 it answers the bits of ConvInteger and runs 2 to 3 times as fast as the FP32 convolution (ONNX Runtime
1.32, x86-64 with VNNI), where ConvInteger runs about as fast as FP32 but takes any convolution.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.quantization.rewriting import Rewriting, attributes_of, bias_of

__all__ = ["column_matrix", "finish_product", "gathers", "integer_convolution", "patches", "scaled", "weight_codes"]

_SHIFT = 128  # zero point of the weights of ConvInteger, which is some ten times slower on signed ones
_FEWEST_CHANNELS = 16  # with fewer, as in the first layer, gathering patches costs more than it saves
_LAST = np.iinfo(np.int64).max


def weight_codes(weight: NDArray[np.float32], reach: int = 127) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(O, ...) to codes -reach..reach of the same shape and a scale (O,): weight is about codes * scale."""
    largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    scale = np.where(largest > 0, largest / np.float32(reach), np.float32(1)).astype(np.float32)
    codes = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).clip(-reach, reach)
    return codes.astype(np.int8), scale


def gathers(node: Any, weight: NDArray[Any], fewest: int | None = None) -> bool:
    """Whether this convolution, `weight` (O, C, ...), can be a product over patches, and has channels enough for that to pay."""
    attributes = attributes_of(node)
    plain = attributes.get("group", 1) == 1 and attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    return plain and weight.ndim == 4 and weight.shape[1] >= (fewest or _FEWEST_CHANNELS)


def column_matrix[Number: np.generic](weight: NDArray[Number]) -> NDArray[Number]:
    """The weights (O, C, kh, kw) as the matrix (kh*kw*C, O) that patches are multiplied with."""
    return weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))


def patches(to: Rewriting, node: Any, source: str, kernel: tuple[int, ...], zero: str = "") -> str:
    """For each place of the kernel the pixels of `source` under it, as one strided slice of the padded picture, side by side."""
    output, attributes = node.output[0], attributes_of(node)
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    picture = to.shared("Transpose", [source], to.fresh(f"{source}_last"), perm=[0, 2, 3, 1])
    if any((top, left, bottom, right)):
        pads = to.constant(f"{output}_pads", np.array([0, top, left, 0, 0, bottom, right, 0]))
        picture = to.node("Pad", [picture, pads, *([zero] if zero else [])], f"{output}_padded")
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


def finish_product(to: Rewriting, node: Any, product: str) -> None:
    """From the product over patches (N, h, w, O) to the convolution's output: its bias, and channels first."""
    if bias_of(node):
        product = to.node("Add", [product, bias_of(node)], f"{node.output[0]}_biased")
    to.node("Transpose", [product], node.output[0], perm=[0, 3, 1, 2])


def integer_convolution(to: Rewriting, node: Any, codes: NDArray[np.int8], scale: NDArray[np.float32]) -> None:
    """Any convolution with `codes` (O, C, ...) and `scale` (O,) over an input that is there as `<input>_codes`, `_scale`, `_zero`."""
    source, output = node.input[0], node.output[0]
    stored = to.constant(f"{output}_weight", (codes.astype(np.int16) + _SHIFT).astype(np.uint8))
    shift = to.constant(f"{output}_shift", np.array(_SHIFT, np.uint8))
    inputs = [f"{source}_codes", stored, f"{source}_zero", shift]
    sums = to.node("ConvInteger", inputs, f"{output}_sum", name=node.name, **attributes_of(node))
    along_channels = (1, -1, *[1] * (codes.ndim - 2))
    bias = bias_of(node)
    factors = scaled(to, node, sums, scale.reshape(along_channels), f"{output}_scaled" if bias else output)
    if bias:
        shape = to.constant(f"{output}_spread", np.array(along_channels, np.int64))
        to.node("Add", [factors, to.node("Reshape", [bias, shape], f"{output}_bias")], output)


def scaled(to: Rewriting, node: Any, sums: str, scale: NDArray[np.float32], out: str) -> str:
    """Integer sums back to FP32: times the scale of the input, found at run time, times that of the weights, (O,) or (1, O, 1, ...)."""
    source, output = node.input[0], node.output[0]
    as_float = to.node("Cast", [sums], f"{output}_float", to=1)  # TensorProto.FLOAT
    factor = to.node("Mul", [f"{source}_scale", to.constant(f"{output}_weight_scale", scale)], f"{output}_factor")
    return to.node("Mul", [as_float, factor], out)
