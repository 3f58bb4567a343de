"""Floor 2: graph in, graph out."""

from vla_demo.quantization.calibration import Calibration
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.schemes import Scheme
from vla_demo.quantization.stages import Progress, prepare_variant, quantize_stage, quantized_graph

__all__ = ["Calibration", "Progress", "Scheme", "prepare_variant", "quantize_stage", "quantized_graph", "scheme_for"]
