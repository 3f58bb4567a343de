"""Real exported packages, some kilobytes each: ONNX graphs of random weights with the tensors every package has, and a manifest.

Each graph depends on each of its inputs, so that a swapped camera, a lost mask or a wrong time shows in the actions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vla_demo.core.package import LanguageRecipe, PolicyPackage, Preprocessing, StageGraph, VectorRecipe
from vla_demo.core.policy import GraphSpec, PolicySpec, StageSpec
from vla_demo.runtime import graph_of_file, write_manifest

CAMERAS = ("top", "gripper", "left")
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
CHUNK, PADDED = 8, 8  # actions a chunk, padded width of state and action
WIDTH, LAYERS, HEADS, HEAD = 16, 2, 2, 8  # SmolVLA: token width, cached layers, KV heads, their width
C, J = len(CAMERAS), len(JOINTS)
WORDS = ("<pad>", "Grab", "the", "tea", "bag", "and", "place", "it", "in", "mug", ".", "\n", "<unk>")

Dims = Sequence[int | str]


@dataclass
class _Graph:
    """Collects nodes and weights; `node` answers the name of its output."""

    seed: int
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def node(self, kind: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        out = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=f"node_{out}", **attributes))
        return out

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = f"const_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weight(self, *shape: int) -> str:
        generator = np.random.default_rng([self.seed, len(self.weights)])
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        return self.constant(generator.standard_normal(shape) / np.sqrt(fan_in), np.float32)

    def save(self, path: Path, inputs: Mapping[str, tuple[int, Dims]], outputs: Mapping[str, tuple[int, Dims]]) -> None:
        ports = [[helper.make_tensor_value_info(n, kind, list(dims)) for n, (kind, dims) in port.items()] for port in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, path.stem, *ports, initializer=self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.checker.check_model(model)
        onnx.save(model, path)


F, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
CACHE: Dims = (LAYERS, 1, "prefix", HEADS, HEAD)


def act_spec() -> PolicySpec:
    """ACT as every package of it looks: vision, then the transformer as action expert."""
    vision = StageSpec("vision", (GraphSpec("vision", ("pixels",), ("features",), False),))
    expert = StageSpec("expert", (GraphSpec("transformer", ("features", "state"), ("actions",), False),))
    return PolicySpec("act", "tiny-act", None, CAMERAS, JOINTS, CHUNK, CHUNK, None, None, (vision, expert))


def smolvla_spec() -> PolicySpec:
    """SmolVLA: vision, language backbone, and an action expert of two graphs, of which one runs in each of 4 denoising steps."""
    prefix_inputs, prefix_outputs = ("image_tokens", "token_ids", "token_mask", "state"), ("keys", "values", "prefix_mask")
    step_inputs = ("x", "time", "context_keys", "context_values", "prefix_mask")
    stages = (
        StageSpec("vision", (GraphSpec("vision", ("pixels",), ("image_tokens",), False),)),
        StageSpec("llm", (GraphSpec("prefix", prefix_inputs, prefix_outputs, False),)),
        StageSpec(
            "expert",
            (
                GraphSpec("context", ("keys", "values"), ("context_keys", "context_values"), False),
                GraphSpec("step", step_inputs, ("velocity",), True),
            ),
        ),
    )
    return PolicySpec("smolvla", "tiny-smolvla", None, CAMERAS, JOINTS, CHUNK, CHUNK, 4, (CHUNK, PADDED), stages)


def tiny_act_package(folder: Path) -> PolicyPackage:
    """Pictures of any size are resized to 24x32 and normalized; two convolutions a camera, then two matrix products."""
    folder.mkdir(parents=True)
    _act_vision(folder / "vision.onnx")
    _act_transformer(folder / "transformer.onnx")
    pictures = (
        {"op": "resize", "height": 24, "width": 32, "antialias": True},
        {"op": "normalize", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.25], "eps": 1e-8},
    )
    recipes = Preprocessing(dict.fromkeys(CAMERAS, pictures), _mean_std(None), _mean_std(None), language=None)
    return _written(folder, act_spec(), recipes)


def tiny_smolvla_package(folder: Path) -> PolicyPackage:
    """Pictures of any size are padded to 32x32 in [-1, 1]; a tokenizer of a dozen words; 4 denoising steps."""
    folder.mkdir(parents=True)
    _smolvla_vision(folder / "vision.onnx")
    _smolvla_prefix(folder / "prefix.onnx")
    _smolvla_context(folder / "context.onnx")
    _smolvla_step(folder / "step.onnx")
    _tokenizer(folder / "tokenizer.json")
    pictures = (
        {"op": "resize_with_pad", "height": 32, "width": 32, "value": 0.0},
        {"op": "affine", "scale": 2.0, "offset": -1.0},
    )
    language = LanguageRecipe("tokenizer.json", "\n", max_length=16, pad_id=0, static_length=False)
    recipes = Preprocessing(dict.fromkeys(CAMERAS, pictures), _mean_std(PADDED), _mean_std(PADDED), language)
    return _written(folder, smolvla_spec(), recipes)


def _written(folder: Path, spec: PolicySpec, recipes: Preprocessing) -> PolicyPackage:
    graphs: tuple[StageGraph, ...] = tuple(
        graph_of_file(folder, role=stage.role, name=graph.name, file=f"{graph.name}.onnx")
        for stage in spec.stages
        for graph in stage.graphs
    )
    package = PolicyPackage(folder, spec, graphs, recipes, parity={"max_abs": 0.0}, provenance={"made_by": "tests"})
    write_manifest(package)
    return package


def _mean_std(padded_to: int | None) -> VectorRecipe:
    mean, std = tuple(float(5 * i - 10) for i in range(J)), tuple(float(10 + i) for i in range(J))
    return VectorRecipe("MEAN_STD", {"mean": mean, "std": std}, eps=1e-8, padded_to=padded_to)


def _act_vision(path: Path) -> None:
    g = _Graph(1)
    first = g.node("Conv", "pixels", g.weight(8, 3, 3, 3), g.weight(8), strides=[2, 2], pads=[1, 1, 1, 1])
    second = g.node("Conv", g.node("Relu", first), g.weight(16, 8, 3, 3), g.weight(16), strides=[2, 2], pads=[1, 1, 1, 1])
    g.node("Relu", second, out="features")
    g.save(path, {"pixels": (F, (C, 3, 24, 32))}, {"features": (F, (C, 16, 6, 8))})


def _act_transformer(path: Path) -> None:
    g = _Graph(2)
    flat = g.node("Reshape", "features", g.constant([1, C * 16 * 6 * 8]))
    seen = g.node("Concat", flat, "state", axis=1)
    hidden = g.node("Relu", g.node("Gemm", seen, g.weight(C * 16 * 6 * 8 + J, 32), g.weight(32)))
    g.node("Reshape", g.node("MatMul", hidden, g.weight(32, CHUNK * J)), g.constant([1, CHUNK, J]), out="actions")
    g.save(path, {"features": (F, (C, 16, 6, 8)), "state": (F, (1, J))}, {"actions": (F, (1, CHUNK, J))})


def _smolvla_vision(path: Path) -> None:
    g = _Graph(3)
    patches = g.node("Conv", "pixels", g.weight(WIDTH, 3, 8, 8), g.weight(WIDTH), strides=[8, 8])
    tokens = g.node("Transpose", g.node("Reshape", patches, g.constant([C, WIDTH, 16])), perm=[0, 2, 1])
    g.node("MatMul", g.node("Tanh", tokens), g.weight(WIDTH, WIDTH), out="image_tokens")
    g.save(path, {"pixels": (F, (C, 3, 32, 32))}, {"image_tokens": (F, (C, 16, WIDTH))})


def _smolvla_prefix(path: Path) -> None:
    g = _Graph(4)
    images = g.node("Reshape", "image_tokens", g.constant([1, C * 16, WIDTH]))
    words = g.node("Gather", g.weight(len(WORDS), WIDTH), "token_ids")
    state = g.node("Unsqueeze", g.node("MatMul", "state", g.weight(PADDED, WIDTH)), g.constant([1]))
    prefix = g.node("Tanh", g.node("Concat", images, words, state, axis=1))
    for name in ("keys", "values"):
        projected = g.node("MatMul", prefix, g.weight(WIDTH, LAYERS * HEADS * HEAD))
        split = g.node("Reshape", projected, g.constant([1, -1, LAYERS, HEADS, HEAD]))
        g.node("Transpose", split, perm=[2, 0, 1, 3, 4], out=name)
    seen = [g.constant(np.ones((1, C * 16)), np.bool_), "token_mask", g.constant(np.ones((1, 1)), np.bool_)]
    g.node("Concat", *seen, axis=1, out="prefix_mask")
    inputs = {"image_tokens": (F, (C, 16, WIDTH)), "token_ids": (I64, (1, "words")), "token_mask": (BOOL, (1, "words"))}
    inputs["state"] = (F, (1, PADDED))
    g.save(path, inputs, {"keys": (F, CACHE), "values": (F, CACHE), "prefix_mask": (BOOL, (1, "prefix"))})


def _smolvla_context(path: Path) -> None:
    g = _Graph(5)
    for name in ("keys", "values"):
        g.node("MatMul", name, g.weight(HEAD, HEAD), out=f"context_{name}")
    g.save(path, {"keys": (F, CACHE), "values": (F, CACHE)}, {"context_keys": (F, CACHE), "context_values": (F, CACHE)})


def _smolvla_step(path: Path) -> None:
    """One head of attention from the actions to the masked prefix, a time offset, and a projection back."""
    g = _Graph(6)
    flat = g.constant([1, -1, LAYERS * HEADS * HEAD])
    keys, values = (g.node("Reshape", g.node("Transpose", f"context_{name}", perm=[1, 2, 0, 3, 4]), flat) for name in ("keys", "values"))
    moment = g.node("MatMul", g.node("Unsqueeze", "time", g.constant([0])), g.weight(1, PADDED))
    query = g.node("MatMul", g.node("Tanh", g.node("Add", "x", moment)), g.weight(PADDED, LAYERS * HEADS * HEAD))
    scores = g.node("MatMul", query, g.node("Transpose", keys, perm=[0, 2, 1]))
    masked = g.node("Where", "prefix_mask", scores, g.constant(-1e4, np.float32))
    attended = g.node("MatMul", g.node("Softmax", masked, axis=-1), values)
    g.node("MatMul", g.node("Add", attended, query), g.weight(LAYERS * HEADS * HEAD, PADDED), out="velocity")
    chunk = (F, (1, CHUNK, PADDED))
    inputs = {"x": chunk, "time": (F, (1,)), "context_keys": (F, CACHE), "context_values": (F, CACHE), "prefix_mask": (BOOL, (1, "prefix"))}
    g.save(path, inputs, {"velocity": chunk})


def _tokenizer(path: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|\.|\n"), "removed", invert=True)
    tokenizer.save(str(path))
