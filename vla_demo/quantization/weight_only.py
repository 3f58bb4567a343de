"""Weights of 8, 4 or 2 bits in blocks that share a scale; activations as they come, or 8 bits a block (ONNX Runtime's MatMulNBits)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import QuantizationError
from vla_demo.quantization.convolutions import column_matrix, finish_product, gathers, patches
from vla_demo.quantization.layerwise import Rewrite
from vla_demo.quantization.proof import differences, probe_inputs
from vla_demo.quantization.rewriting import CONTRIBUTED, Rewriting

__all__ = ["INT8_ACTIVATIONS", "Blocks", "prove_int8_activations", "to_blocks"]

_FEWEST_CHANNELS = 8  # a convolution over a picture of 3 stays: few weights, and a patch for each pixel
INT8_ACTIVATIONS = 4  # MatMulNBits' accuracy_level that lets it quantize the activations


class Blocks:
    """How weights are stored: ONNX Runtime's own quantizer, one weight at a time."""

    def __init__(self, bits: int, size: int, symmetric: bool) -> None:
        from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, DefaultWeightOnlyQuantizer

        self.bits, self.size, self.symmetric = bits, size, symmetric
        self._quantizer = DefaultWeightOnlyQuantizer(DefaultWeightOnlyQuantConfig(block_size=size, is_symmetric=symmetric, bits=bits))

    def stored(self, weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
        """(K, N) to codes (N, blocks, bytes), scales (N * blocks,) and zero points (N * bytes,), as MatMulNBits reads them."""
        codes, scales, zeros = self._quantizer.qbits_block_quant(np.ascontiguousarray(weight))
        return codes, scales.reshape(-1), zeros.reshape(-1)

    def bytes_for(self, inputs: int) -> int:
        """Of one column: the last block is padded, and each block has a scale of 4 bytes."""
        blocks = -(-inputs // self.size)
        return blocks * (self.size * self.bits // 8 + 4)


def to_blocks(blocks: Blocks, accuracy_level: int) -> Rewrite:
    """The rewriting of a product, weights (K, N), into MatMulNBits; convolutions (O, C, kh, kw) become products over patches first."""

    def rewrite(to: Rewriting, node: Any, weight: NDArray[np.float32]) -> str:
        if node.op_type == "Conv":
            return _convolution(to, node, weight, blocks, accuracy_level)
        if weight.ndim != 2:
            return f"its weights have {weight.ndim} axes and are no matrix"
        reason = _reason_against(weight, blocks)
        if not reason:
            _product(to, node, weight, (node.input[0], node.output[0]), blocks, accuracy_level)
        return reason

    return rewrite


def prove_int8_activations(target: Path) -> None:
    """Raise `QuantizationError` when the graph answers the same without 8-bit activations: ONNX Runtime does not always obey the wish."""
    import onnx

    model = onnx.load(target, load_external_data=False)
    for node in model.graph.node:
        for attribute in [a for a in node.attribute if a.name == "accuracy_level"]:
            node.attribute.remove(attribute)
    plain = target.with_name(f"plain-{target.name}")  # beside it: it reads the same weights
    onnx.save(model, plain)
    try:
        found = differences(plain, target, probe_inputs(target))
    finally:
        plain.unlink()
    if not any(found.values()):
        raise QuantizationError(
            "ONNX Runtime keeps the activations in floating point for these weights on this processor: asked for 8 bits (-a8) it answers "
            "the same numbers; leave -a8 out or choose another block size"
        )


def _reason_against(matrix: NDArray[np.float32], blocks: Blocks) -> str:
    inputs = len(matrix)
    if blocks.bytes_for(inputs) < 4 * inputs:
        return ""
    return f"with {inputs} inputs, blocks of {blocks.size} would take more bytes than FP32"


def _convolution(to: Rewriting, node: Any, weight: NDArray[np.float32], blocks: Blocks, accuracy_level: int) -> str:
    if not gathers(node, weight, _FEWEST_CHANNELS):
        return f"a convolution over {weight.shape[1]} channels is no matrix product worth its patches"
    matrix = column_matrix(weight)
    reason = _reason_against(matrix, blocks)
    if not reason:
        ports = patches(to, node, node.input[0], weight.shape[2:]), f"{node.output[0]}_product"
        _product(to, node, matrix, ports, blocks, accuracy_level)
        finish_product(to, node, ports[1])
    return reason


def _product(to: Rewriting, node: Any, matrix: NDArray[np.float32], ports: tuple[str, str], blocks: Blocks, accuracy_level: int) -> None:
    """`ports` are the names of the activation (..., K) and of the product (..., N)."""
    output = node.output[0]
    codes, scales, zeros = blocks.stored(matrix)
    inputs = [ports[0], to.constant(f"{output}_codes", codes), to.constant(f"{output}_scales", scales)]
    if not blocks.symmetric:
        inputs.append(to.constant(f"{output}_zeros", zeros))
    level = {"accuracy_level": accuracy_level} if accuracy_level else {}
    shape = {"K": matrix.shape[0], "N": matrix.shape[1], "bits": blocks.bits, "block_size": blocks.size}
    to.uses_domain(CONTRIBUTED)
    to.node("MatMulNBits", inputs, ports[1], name=node.name, domain=CONTRIBUTED, **shape, **level)
