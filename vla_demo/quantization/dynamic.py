"""Dynamic int8 of a whole graph file: ONNX Runtime's own quantizer for matrix products, ours for convolutions."""

from pathlib import Path

from vla_demo.quantization.convolutions import quantize_convolutions

__all__ = ["quantize_dynamically"]

_INLINE_LIMIT = 1_900_000_000  # bytes; a protobuf file ends at 2 GB, and quantized weights are never larger than their originals


def quantize_dynamically(prepared: Path, target: Path) -> None:
    """Write the int8 counterpart of a prepared FP32 graph; neither it nor its folder is touched."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    model = onnx.load(prepared)
    quantize_convolutions(model)
    add_pre_process_metadata(model)  # else it warns that nobody prepared the graph
    quantize_dynamic(
        model,
        target,
        op_types_to_quantize=["MatMul"],  # it turns Gemm into MatMul and Add first; Gather (embedding tables) stays FP32
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=sum(len(t.raw_data) for t in model.graph.initializer) > _INLINE_LIMIT,
        extra_options={"MatMulConstBOnly": True},
    )
