"""The scheme behind `int8-smooth`: fold smoothing scales, scale each row, then dynamic int8. The two foldings leave FP32 as it was."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.core.package import Decision
from vla_demo.quantization.calibration import Feeds, Where
from vla_demo.quantization.row_scales import scale_rows
from vla_demo.quantization.schemes import DynamicInt8
from vla_demo.quantization.smoothing import ALPHAS, smooth_graph

__all__ = ["SmoothInt8"]


@dataclass(frozen=True, slots=True)
class SmoothInt8:
    """As `DynamicInt8`, after the reach of outlying channels was moved into weights and rows of an activation were made to fill its range.

    Convolutions are quantized as by `DynamicInt8`: nothing in front of them can be smoothed.
    """

    alphas: tuple[float, ...] = ALPHAS
    worth: float = 0.75  # a division that no constant can take is made if it brings the predicted error under this share
    row_scales: bool = True
    algorithm: int = 1
    plain: DynamicInt8 = field(default_factory=DynamicInt8)

    @property
    def needs_calibration(self) -> bool:
        return True

    def settings(self) -> Mapping[str, Any]:
        return {"scheme": type(self).__name__} | asdict(self) | {"alphas": list(self.alphas)}

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; raises `InvalidInput` without `feeds`, `QuantizationError` where nothing can be smoothed, as in a ResNet."""
        if feeds is None:
            raise InvalidInput("int8-smooth takes the reach of each channel from training episodes; give a calibration")
        with tempfile.TemporaryDirectory(dir=target.parent) as workshop:
            folder = Path(workshop)
            if not smooth_graph(prepared, folder / "smooth.onnx", feeds, where, alphas=self.alphas, worth=self.worth):
                raise QuantizationError(
                    "there is nothing to smooth here: its products are convolutions, and none with a weight matrix; use int8 or int8-static"
                )
            if self.row_scales:
                scale_rows(folder / "smooth.onnx", folder / "ready.onnx", where)
            ready = folder / ("ready.onnx" if self.row_scales else "smooth.onnx")
            return self.plain.apply(ready, target, where, feeds)
