"""A small transformer as the exporter and ONNX Runtime leave one: RMSNorm, attention, gated MLP, their layers called by name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

TOKENS, ENTER, WIDTH, INNER, BLOCKS = 6, 5, 48, 64, 2  # a width of 16 * 3, as SmolVLA's 720 is 16 * 45


@dataclass
class _Builder:
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    def node(self, kind: str, *inputs: str, out: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [out], name=attributes.pop("name", f"node_{out}"), **attributes))
        return out

    def weight(self, name: str, *shape: int) -> str:
        generator = np.random.default_rng(len(self.weights))
        self.weights[name] = (generator.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
        return name

    def layer(self, name: str, x: str, inner: int, outer: int) -> str:
        return self.node("MatMul", x, self.weight(f"{name}.weight", inner, outer), out=f"{name}.out", name=name)

    def norm(self, name: str, x: str) -> str:
        self.weights[f"{name}.weight"] = np.random.default_rng(len(self.weights)).uniform(0.5, 2, WIDTH).astype(np.float32)
        square = self.node("Pow", x, "two", out=f"{name}.square")
        mean = self.node("ReduceMean", square, "last", out=f"{name}.mean")
        root = self.node("Sqrt", self.node("Add", mean, "eps", out=f"{name}.more"), out=f"{name}.root")
        unit = self.node("Mul", x, self.node("Reciprocal", root, out=f"{name}.inverse"), out=f"{name}.unit")
        return self.node("Mul", f"{name}.weight", unit, out=f"{name}.out")

    def attention(self, name: str, x: str) -> str:
        q, k, v = (self.layer(f"{name}.{part}_proj", x, WIDTH, WIDTH) for part in "qkv")
        self.weights[f"{name}.q_proj.weight"] /= np.sqrt(WIDTH).astype(np.float32)  # else the softmax would choose one token
        scores = self.node("MatMul", q, self.node("Transpose", k, out=f"{name}.turned", perm=[0, 2, 1]), out=f"{name}.scores", name=name)
        mixed = self.node("MatMul", self.node("Softmax", scores, out=f"{name}.shares"), v, out=f"{name}.mixed", name=f"{name}.2")
        return self.layer(f"{name}.o_proj", mixed, WIDTH, WIDTH)

    def mlp(self, name: str, x: str) -> str:
        gate, up = (self.layer(f"{name}.{part}_proj", x, WIDTH, INNER) for part in ("gate", "up"))
        silu = self.node("Mul", gate, self.node("Sigmoid", gate, out=f"{name}.sigmoid"), out=f"{name}.silu")
        return self.layer(f"{name}.down_proj", self.node("Mul", silu, up, out=f"{name}.gated"), INNER, WIDTH)


def transformer(path: Path, *, blocks: int = BLOCKS, equal_norms: bool = False) -> Path:
    """x (1, T, 5) -> y (1, T, 3); `equal_norms` leaves one constant for all norms, as ONNX Runtime merges equal ones."""
    to = _Builder()
    to.weights |= {"two": np.float32(2), "eps": np.float32(1e-6), "last": np.array([-1])}
    h = to.node("Add", to.layer("enter", "x", ENTER, WIDTH), to.weight("enter.bias", WIDTH), out="entered")
    for block in range(blocks):
        name = f"layers.{block}"
        h = to.node("Add", h, to.attention(f"{name}.self_attn", to.norm(f"{name}.first_norm", h)), out=f"{name}.halfway")
        h = to.node("Add", h, to.mlp(f"{name}.mlp", to.norm(f"{name}.second_norm", h)), out=f"{name}.done")
    to.node("Add", to.layer("leave", to.norm("norm", h), WIDTH, 3), to.weight("leave.bias", 3), out="y")
    if equal_norms:
        _merge(to)
    return _saved(to, path)


def layer_count(blocks: int = BLOCKS) -> int:
    return 2 + 7 * blocks


def inputs(count: int = 8, seed: int = 0) -> list[dict[str, NDArray[np.float32]]]:
    return [{"x": np.random.default_rng([seed, n]).standard_normal((1, TOKENS, ENTER)).astype(np.float32)} for n in range(count)]


def answers(graph: Path, feeds: list[dict[str, NDArray[np.float32]]]) -> NDArray[np.float64]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return np.stack([np.asarray(session.run(["y"], feed)[0], np.float64) for feed in feeds])


def relative_error(graph: Path, reference: Path, seed: int = 9) -> float:
    """Largest difference over the largest value of the reference's output."""
    ours, theirs = answers(graph, inputs(seed=seed)), answers(reference, inputs(seed=seed))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def cosine(graph: Path, reference: Path) -> float:
    """The smallest over some inputs that nothing was calibrated on."""
    ours, theirs = answers(graph, inputs(seed=9)), answers(reference, inputs(seed=9))
    return min(float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(ours, theirs, strict=True))


def _merge(to: _Builder) -> None:
    norms = [name for name in to.weights if name.endswith("norm.weight")]
    for name in norms[1:]:
        del to.weights[name]
    for node in to.nodes:
        for place, name in enumerate(node.input):
            if name in norms:
                node.input[place] = norms[0]


def _saved(to: _Builder, path: Path) -> Path:
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", [1, TOKENS, ENTER]), ("y", [1, TOKENS, 3]))]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in to.weights.items()]
    graph = helper.make_graph(to.nodes, "transformer", ports[:1], ports[1:], initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
