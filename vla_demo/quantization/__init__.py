"""Floor 2: graph in, graph out."""

from vla_demo.quantization.schemes import SCHEMES
from vla_demo.quantization.stages import Progress, prepare_variant, quantize_stage, quantized_graph

__all__ = ["SCHEMES", "Progress", "prepare_variant", "quantize_stage", "quantized_graph"]
