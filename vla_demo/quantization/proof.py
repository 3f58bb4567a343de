"""The last proof that a stage is not FP32 under another name: it answers other numbers. Knows no scheme."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import QuantizationError

__all__ = ["differences", "probe_inputs", "proven_different"]

_LIVE = 24  # length of an axis that the instruction decides, in a probe
_SEED = 20260101


def proven_different(fp32: Path, quantized: Path, what: str, *, may_be_equal: bool = False) -> dict[str, float]:
    """Largest |FP32 - quantized| of each output on random inputs. Raises `QuantizationError` when one is not a number.

    And when all are 0, unless that `may_be_equal`: float16 takes nothing from the weights of a checkpoint that was stored in it.
    """
    found = differences(fp32, quantized, probe_inputs(fp32))
    broken = [name for name, largest in found.items() if not np.isfinite(largest)]
    if broken:
        raise QuantizationError(f"its {', '.join(broken)} is not finite where FP32's is, so it cannot be used", what)
    if not any(found.values()) and not may_be_equal:
        raise QuantizationError("it answers exactly what FP32 answers, so it is FP32 under another name", what)
    return found


def differences(first: Path, second: Path, probe: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Largest absolute difference of each output; not finite where one of them is not. One graph is in memory at a time.

    `probe` holds their inputs by name, in the shapes they read.
    """
    before, after = _answers(first, probe), _answers(second, probe)
    return {name: _largest(before[name], after[name]) for name in before if before[name].dtype.kind == "f"}


def probe_inputs(graph: Path) -> dict[str, NDArray[Any]]:
    """Random inputs of the shapes a graph declares, the same for the same graph."""
    import onnx

    generator = np.random.default_rng(_SEED)
    return {port.name: _random(port.type.tensor_type, generator) for port in onnx.load(graph, load_external_data=False).graph.input}


def _random(kind: Any, generator: np.random.Generator) -> NDArray[Any]:
    from onnx import helper

    shape = [dimension.dim_value or _LIVE for dimension in kind.shape.dim]
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    if dtype == np.bool_:
        return np.ones(shape, np.bool_)
    if dtype.kind in "iu":
        return generator.integers(0, 2, shape).astype(dtype)  # token ids: small enough for any vocabulary
    return generator.standard_normal(shape).astype(dtype)


def _answers(graph: Path, probe: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feed = {port.name: probe[port.name] for port in session.get_inputs()}
    return dict(zip(names, map(np.asarray, session.run(names, feed)), strict=True))


def _largest(before: NDArray[Any], after: NDArray[Any]) -> float:
    return float(np.abs(before.astype(np.float64) - after).max(initial=0.0))
