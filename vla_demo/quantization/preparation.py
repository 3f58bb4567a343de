"""An FP32 graph made ready to be quantized: constants folded, batch norms folded into convolutions, weights as initializers."""

from pathlib import Path

from vla_demo.core.errors import QuantizationError

__all__ = ["prepare_graph"]


def prepare_graph(source: Path, target: Path) -> None:
    """Let ONNX Runtime's basic optimizations rewrite `source` into `target` and `<target>.data`; any size. `source` is not touched.

    Without this a weight behind a Transpose or in a Constant node would not be seen, and be left FP32.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", f"{target.name}.data")
    options.add_session_config_entry("session.disable_prepacking", "1")  # it will never run: save the memory
    try:
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # ONNX Runtime's errors have no common base
        raise QuantizationError(f"the graph {source} cannot be prepared for quantization: {problem}") from problem
