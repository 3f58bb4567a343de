"""How far each channel of an activation reaches on calibration data: what a smoothing scale is computed from.

The reductions are added to the graph itself, so that no activation leaves the runtime and any size will do.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.quantization.calibration import Feeds
from vla_demo.quantization.rewriting import Rewriting, rewriting

__all__ = ["ChannelRanges", "channel_ranges"]

Array = NDArray[np.float32]
_FLOAT = 1  # TensorProto's element type
_REDUCTIONS = {"high": "ReduceMax", "low": "ReduceMin", "power": "ReduceMean"}


@dataclass(frozen=True, slots=True)
class ChannelRanges:
    """Of one activation (..., K): a row for each call of the graph, which for a denoising graph is each step of each chunk."""

    high: Array  # (calls, K) largest value
    low: Array  # (calls, K) smallest value
    power: Array  # (K,) mean square over all calls

    @property
    def reach(self) -> Array:
        """(K,) largest magnitude over all calls."""
        reach: Array = np.maximum(self.high, -self.low).max(axis=0)
        return reach


def channel_ranges(graph: Path, activations: Sequence[str], feeds: Feeds) -> dict[str, ChannelRanges]:
    """Run the FP32 graph on all `feeds`, its inputs by name, for how far each of the `activations` (..., K) reaches.

    Raises `InvalidInput` when there are no feeds, or when something in there is not a number.
    """
    rows: dict[str, list[Array]] = {_port(kind, name): [] for name in activations for kind in _REDUCTIONS}
    for answers in _answers(graph, activations, feeds):
        for port, row in answers.items():
            rows[port].append(row)
    if activations and not all(rows.values()):
        raise InvalidInput("there is nothing to calibrate on: the calibration has no observation")
    found = {name: _ranges(rows, name) for name in activations}
    broken = [name for name, ranges in found.items() if not np.isfinite(ranges.reach).all()]
    if broken:
        raise InvalidInput(f"the activation {broken[0]} is not finite on the calibration data")
    return found


def _ranges(rows: dict[str, list[Array]], name: str) -> ChannelRanges:
    high, low, power = (np.stack(rows[_port(kind, name)]) for kind in ("high", "low", "power"))
    return ChannelRanges(high, low, power.mean(axis=0))


def _answers(graph: Path, activations: Sequence[str], feeds: Feeds) -> Iterator[dict[str, Array]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    ports = [_port(kind, name) for name in activations for kind in _REDUCTIONS]
    with tempfile.TemporaryDirectory() as folder:
        instrumented = Path(folder) / "ranges.onnx"
        with rewriting(graph, instrumented) as to:
            _instrument(to, activations)
        session = onnxruntime.InferenceSession(str(instrumented), options, providers=["CPUExecutionProvider"])
        inputs = {port.name for port in session.get_inputs()}
        for feed in feeds:
            yield dict(zip(ports, session.run(ports, {name: feed[name] for name in inputs}), strict=True))


def _instrument(to: Rewriting, activations: Sequence[str]) -> None:
    from onnx import helper

    for node in to.model.graph.node:
        to.keep(node)
    first = to.constant("ranges_first", np.array([0]))
    for name in activations:
        rows = _rows(to, name)
        squares = to.node("Mul", [rows, rows], f"{name}_squares")
        for kind, reduction in _REDUCTIONS.items():
            port = _port(kind, name)
            to.node(reduction, [squares if kind == "power" else rows, first], port, keepdims=0)
            to.model.graph.output.append(helper.make_tensor_value_info(port, _FLOAT, None))


def _rows(to: Rewriting, name: str) -> str:
    """(..., K) to (rows, K): the last axis is known at run time only."""
    last = to.node("Shape", [name], f"{name}_channels", start=-1)
    rows = to.constant(f"{name}_any", np.array([-1]))
    return to.node("Reshape", [name, to.node("Concat", [rows, last], f"{name}_matrix", axis=0)], f"{name}_rows")


def _port(kind: str, activation: str) -> str:
    return f"{activation}_{kind}"
