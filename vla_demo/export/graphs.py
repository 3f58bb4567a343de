"""One torch module to one ONNX file, its tensors named as the package's contract names them. Knows no policy."""

import ast
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vla_demo.core.errors import PackageError, Stopped
from vla_demo.core.policy import GraphSpec

__all__ = ["run_module", "write_graph"]

OPSET = 18
_MAX_IN_ONE_FILE = 1_000_000  # bytes of weights; those beside a graph ONNX Runtime maps, and does not hold twice while it loads
_PRODUCTS = ("MatMul", "Gemm", "Conv")
_LIVE_AXES = {
    "token_ids": {1: "tokens"},
    "token_mask": {1: "tokens"},
    "keys": {2: "prefix"},
    "values": {2: "prefix"},
    "context_keys": {2: "prefix"},
    "context_values": {2: "prefix"},
    "prefix_mask": {1: "prefix"},
}  # axes whose length the instruction decides


def run_module(module: nn.Module, spec: GraphSpec, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The module's outputs by name, for inputs out of `tensors`, both in the shapes that its `forward` names."""
    with torch.no_grad():
        answer = module(*(tensors[name] for name in spec.inputs))
    return dict(zip(spec.outputs, answer if isinstance(answer, tuple) else (answer,), strict=True))


def write_graph(module: nn.Module, spec: GraphSpec, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Trace the module on example `tensors`, in the shapes that its `forward` names, and write `path`.

    Its weights lie beside it in `<path>.data` when they exceed 1 MB. Raises `PackageError` when PyTorch cannot export it; a `Stopped`
    raised while it works comes through.
    """
    dims: dict[str, Any] = {}
    live = tuple({axis: dims.setdefault(name, _dimension(name)) for axis, name in _LIVE_AXES.get(i, {}).items()} for i in spec.inputs)
    try:
        with torch.no_grad():
            program = torch.export.export(
                module.eval(),
                tuple(tensors[i] for i in spec.inputs),
                dynamic_shapes=live,
                strict=False,
                prefer_deferred_runtime_asserts_over_guards=True,  # else it refuses lengths it cannot prove things about
            )
            exported = torch.onnx.export(
                program, dynamo=True, opset_version=OPSET, input_names=list(spec.inputs), output_names=list(spec.outputs), verbose=False
            )
    except Exception as problem:
        _let_stop_through(problem)
        raise PackageError(f"PyTorch cannot export the graph {spec.name}: {problem}") from problem
    assert exported is not None
    _name_layers(exported.model)
    _forget_where_it_was_made(exported.model)
    exported.save(path, external_data=_weight_bytes(module) > _MAX_IN_ONE_FILE)


def _dimension(name: str) -> Any:
    return torch.export.Dim(name, min=2, max=4096)


def _weight_bytes(module: nn.Module) -> int:
    unique = {t.data_ptr(): t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers())}
    return sum(unique.values())


def _name_layers(model: Any) -> None:
    """Each product is called after the module it comes from (`layers.0.self_attn.q_proj`), so that a person can speak of a layer."""
    taken: set[str] = set()
    for node in model.graph.all_nodes():
        if node.op_type in _PRODUCTS:
            scopes = ast.literal_eval(node.metadata_props.get("pkg.torch.onnx.name_scopes", "[]"))  # outermost module to operation
            module = next((scope for scope in reversed(scopes[:-1]) if scope), node.name)
            node.name = next(name for name in _numbered(module) if name not in taken)
            taken.add(node.name)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}.{count}" for count in itertools.count(2))


def _forget_where_it_was_made(model: Any) -> None:
    """PyTorch writes stack traces with this machine's paths into every node; the same checkpoint should give the same bytes anywhere."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()


def _let_stop_through(problem: BaseException | None) -> None:
    """PyTorch wraps what is raised inside it, a request to stop included."""
    while problem is not None:
        if isinstance(problem, Stopped):
            raise problem
        problem = problem.__cause__ or problem.__context__
