"""Layer sensitivity: each layer alone in a precision, all others in FP32: how wrong its own answer gets, and how wrong the actions.

A layer's own error does not rank layers by what they do to the actions (that is why both are measured), and errors at the actions do not
add up (that is why a search measures unions). It keeps nothing: trials live in a temporary folder.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import graph_files
from vla_demo.quantization.audit import Product, graph_products
from vla_demo.quantization.calibration import Calibration, Feeds
from vla_demo.quantization.catalogue import scheme_for
from vla_demo.quantization.rewriting import rewriting
from vla_demo.quantization.schemes import Scheme
from vla_demo.quantization.trials import Judgement, Trials
from vla_demo.runtime.policy import Tensors
from vla_demo.runtime.sessions import GraphFile, Session

__all__ = ["LayerSensitivity", "Working", "layer_sensitivity", "measured_layers"]

_CALLS = 3  # of a graph on which a layer's own error is measured: the first, the middle and the last of a chunk
_FLOAT = 1  # TensorProto's element type


@dataclass(frozen=True, slots=True)
class Working:
    """Progress."""

    text: str
    fraction: float  # 0..1


@dataclass(frozen=True, slots=True)
class LayerSensitivity:
    """One layer, alone, in one precision."""

    stage: str
    graph: str
    layer: str
    precision: str
    weight_bytes: int  # of its FP32 weights
    saved_bytes: int  # of the graph's files; negative where it grew
    own_error: float  # RMS of the error of what it answers on FP32 inputs, relative to the RMS of that
    action_errors: tuple[float, ...]  # of each observation's chunk: RMS in standard deviations of the action

    @property
    def action_error(self) -> float:
        """The mean over the observations."""
        return float(np.mean(self.action_errors))


def layer_sensitivity(
    package: PolicyPackage, role: str, precisions: Sequence[str], judgement: Judgement, calibration: Calibration | None = None
) -> Iterator[Working | LayerSensitivity]:
    """Progress, and each layer in each precision as it is measured, in running order. A layer that cannot have a precision is left out.

    Raises `UnknownVariant` for a stage or precision that does not exist; close the generator to stop.
    """
    with tempfile.TemporaryDirectory(prefix="vla-demo-layers-") as folder:
        yield Working(f"Preparing the layers of {role}", 0.0)
        yield from measured_layers(Trials(package, role, judgement, Path(folder)), precisions, calibration)


def measured_layers(trials: Trials, precisions: Sequence[str], calibration: Calibration | None) -> Iterator[Working | LayerSensitivity]:
    """The same on trials that are set up already."""
    schemes = {precision: scheme_for(precision) for precision in precisions}
    products = {name: graph_products(prepared) for name, prepared in trials.prepared.items()}
    total, done = len(schemes) * sum(map(len, products.values())), 0
    for name, found in products.items():
        feeds = calibration.feeds(trials.package, trials.graphs[name]) if calibration is not None else None
        exam = _Exam(trials, name, found, feeds)
        for product in found:
            for precision, scheme in schemes.items():
                yield Working(f"Layer {product.layer} in {precision} ({done + 1} of {total})", done / total)
                measured = exam.measured(product, precision, scheme)
                done += 1
                if measured is not None:
                    yield measured


class _Exam:
    """One graph whose layers are tried one by one."""

    def __init__(self, trials: Trials, graph: str, products: Sequence[Product], feeds: Feeds | None) -> None:
        self._trials, self._graph, self._feeds = trials, graph, feeds
        self._prepared = trials.prepared[graph]
        self._outputs = _outputs_of(self._prepared, [product.layer for product in products])
        watched = trials.folder / f"watched-{graph}.onnx"
        _expose(self._prepared, watched, list(self._outputs.values()))
        self._session = Session(GraphFile(watched, ""))
        recorded = trials.recorded[graph]
        self._calls = [recorded[round(i)] for i in np.linspace(0, len(recorded) - 1, min(_CALLS, len(recorded)))]

    def measured(self, product: Product, precision: str, scheme: Scheme) -> LayerSensitivity | None:
        with tempfile.TemporaryDirectory(dir=self._trials.folder) as folder:
            alone, exposed = Path(folder) / "alone.onnx", Path(folder) / "exposed.onnx"
            decisions = scheme.apply(self._prepared, alone, lambda layer: layer == product.layer, self._feeds)
            if any(decision.reason for decision in decisions):
                return None
            _expose(alone, exposed, [self._outputs[product.layer]])
            own = self._own_error(self._outputs[product.layer], Session(GraphFile(exposed, "")))
            errors = self._trials.errors({self._graph: alone})
            saved = _bytes(self._prepared) - _bytes(alone)
        return LayerSensitivity(self._trials.role, self._graph, product.layer, precision, product.weight_bytes, saved, own, errors)

    def _own_error(self, output: str, alone: Session) -> float:
        error, size = 0.0, 0.0
        for call in self._calls:
            fp32, quantized = _answer(self._session, output, call), _answer(alone, output, call)
            error += float(np.square(quantized - fp32).sum())
            size += float(np.square(fp32).sum())
        return float(np.sqrt(error / size)) if size else float(error > 0)


def _answer(session: Session, output: str, call: Tensors) -> NDArray[np.float64]:
    return np.asarray(session.run(call)[output], np.float64)


def _outputs_of(graph: Path, layers: Sequence[str]) -> dict[str, str]:
    import onnx

    nodes = {node.name: node for node in onnx.load(graph, load_external_data=False).graph.node}
    return {layer: nodes[layer].output[0] for layer in layers}


def _expose(source: Path, target: Path, tensors: Sequence[str]) -> None:
    """Write the graph with more outputs."""
    from onnx import helper

    with rewriting(source, target) as to:
        for node in to.model.graph.node:
            to.keep(node)
        known = {output.name for output in to.model.graph.output}
        for tensor in dict.fromkeys(tensors):
            if tensor not in known:
                to.model.graph.output.append(helper.make_tensor_value_info(tensor, _FLOAT, None))


def _bytes(graph: Path) -> int:
    return sum(file.stat().st_size for file in graph_files(graph))
