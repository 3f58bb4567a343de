"""An FP32 graph made ready to be quantized: constants folded, batch norms folded into convolutions, weights as initializers.

What a scheme then meets as a product with weights is a MatMul or a Conv.

ONNX Runtime's transformer optimizer was measured and is not used (1.32, one thread, full-size SmolVLA): it keeps parity (2e-6) and fuses
GELU and norms, but vision took 1.5 % longer, the language backbone 1 %, and only the denoising step 11 % less, 1 % of a chunk; on int8
graphs vision took 13 % longer and the others made it fail. A fused attention saved 12 % of the attention and so 2 % of vision.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from vla_demo.core.errors import QuantizationError
from vla_demo.core.storage import graph_files
from vla_demo.quantization.audit import products
from vla_demo.quantization.rewriting import Rewriting, attributes_of, bias_of, rewriting

__all__ = ["prepare_graph"]


def prepare_graph(source: Path, target: Path) -> None:
    """Let ONNX Runtime's basic optimizations rewrite `source` into `target` and `<target>.data`; any size. `source` is not touched.

    Without this a weight behind a Transpose or in a Constant node would not be seen, and be left FP32.
    """
    with TemporaryDirectory(dir=target.parent) as workshop:
        optimized = Path(workshop) / target.name  # of the same name: the graph names the file of its weights
        _optimize(source, optimized)
        if any(product.operation == "Gemm" for product in products(_structure(optimized))):
            _without_gemm(optimized, target)
        else:
            for file in graph_files(optimized):
                file.replace(target.parent / file.name)
    _name_nodes(target)


def _optimize(source: Path, target: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", f"{target.name}.data")
    options.add_session_config_entry("session.disable_prepacking", "1")  # it will never run: save the memory
    left_out = ["MatMulAddFusion"]  # it makes Gemm, which the next step would take apart
    try:
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"], disabled_optimizers=left_out)
    except Exception as problem:  # ONNX Runtime's errors have no common base
        raise QuantizationError(f"the graph {source} cannot be prepared for quantization: {problem}") from problem


def _name_nodes(path: Path) -> None:
    """A layer is spoken of by its name, so each node has one."""
    import onnx

    model = _structure(path)
    for node in model.graph.node:
        node.name = node.name or node.output[0]
    onnx.save(model, path)


def _structure(path: Path) -> Any:
    import onnx

    return onnx.load(path, load_external_data=False)


def _without_gemm(source: Path, target: Path) -> None:
    with rewriting(source, target) as to:
        weighted = {product.weight for product in products(to.model) if product.operation == "Gemm"}
        for node in to.model.graph.node:
            if node.op_type == "Gemm" and node.input[1] in weighted:
                _take_apart(to, node)
            else:
                to.keep(node)


def _take_apart(to: Rewriting, node: Any) -> None:
    """alpha * x * w + beta * b as MatMul, called after the layer, and Add; the factors go into the constants."""
    attributes, output = attributes_of(node), node.output[0]
    weight = to.weight(node.input[1]) * np.float32(attributes.get("alpha", 1.0))
    stored = to.constant(f"{output}_matrix", weight.T if attributes.get("transB", 0) else weight)
    left = node.input[0]
    if attributes.get("transA", 0):
        left = to.node("Transpose", [left], f"{output}_turned", perm=[1, 0])
    bias = bias_of(node)
    to.node("MatMul", [left, stored], f"{output}_product" if bias else output, name=node.name or output)
    if bias:
        factor = np.float32(attributes.get("beta", 1.0))
        addend = bias if factor == 1 else to.node("Mul", [bias, to.constant(f"{output}_beta", np.array(factor))], f"{output}_bias")
        to.node("Add", [f"{output}_product", addend], output)
