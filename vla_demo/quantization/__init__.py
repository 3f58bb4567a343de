"""Floor 2: graph in, graph out."""

from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.stages import prepare_variant, quantize_stage

__all__ = ["prepare_variant", "quantize_stage", "scheme_for"]
