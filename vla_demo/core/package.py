"""The exported package: the one interface between export and everything after it, as data.

A package is a folder: `manifest.json`, the stage graphs in FP32, and (for language policies) `tokenizer.json`. The manifest holds all
that a runtime needs and the proof that the graphs reproduce the PyTorch policy. Reading and writing the file is the runtime's and the
exporter's business; this module only says what is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.core.policy import PolicySpec

__all__ = [
    "MANIFEST_FILE",
    "MANIFEST_VERSION",
    "Decision",
    "LanguageRecipe",
    "PolicyPackage",
    "Preprocessing",
    "StageGraph",
    "VectorRecipe",
]

MANIFEST_FILE = "manifest.json"
MANIFEST_VERSION = 2


@dataclass(frozen=True, slots=True)
class StageGraph:
    """One graph file of one stage in one precision."""

    role: str  # stage: "vision" | "llm" | "expert"
    name: str  # graph of the stage: "vision", "prefix", "context", "step", "transformer"
    precision: str  # "fp32", "int8", "int4-b64", ...: see `core.precision`
    file: str  # relative to the package (or to `<cache>/quantized`); external weights, if any, lie beside it in `<file>.data`
    size_bytes: int  # graph and external weights together
    sha256: str  # of the graph file followed by its external weights, if any
    nodes: int  # products of an activation with weights that this precision could have quantized; 0 for fp32
    quantized_nodes: int  # of those, how many it did; 0 for fp32
    weight_bytes: int = 0  # of the FP32 weights of those products; 0 for fp32
    quantized_weight_bytes: int = 0  # of the FP32 weights of those it quantized; 0 for fp32


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened to one product with weights."""

    layer: str  # the product's name in the graph: its torch module, such as `layers.0.self_attn.q_proj`
    operation: str  # "MatMul" | "Conv", as it stood in the prepared FP32 graph
    precision: str  # what its weights are now: "int8", "int4", "fp32", ...
    weight_bytes: int  # of its FP32 weights
    reason: str = ""  # why it stayed as it was, for a person


@dataclass(frozen=True, slots=True)
class VectorRecipe:
    """How a joint vector becomes a model input, or a model output a joint vector. `mode` and statistics as LeRobot names them."""

    mode: str  # "IDENTITY" | "MEAN_STD" | "MIN_MAX" | "QUANTILES" | "QUANTILE10"
    stats: Mapping[str, tuple[float, ...]]  # e.g. {"mean": (J,), "std": (J,)}; empty for IDENTITY
    eps: float  # added to the divisor, as LeRobot's normaliser does
    padded_to: int | None  # zero-padded width the graph expects; None when not padded


@dataclass(frozen=True, slots=True)
class LanguageRecipe:
    """How the instruction becomes token ids."""

    tokenizer_file: str  # a `tokenizers` JSON in the package
    suffix: str  # appended when missing: "\n" for SmolVLA
    max_length: int  # tokens; the rest is cut off
    pad_id: int
    static_length: bool  # True: always padded to max_length; False: as long as the instruction


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a physical observation to graph inputs and back, read from the checkpoint's own processor files.

    `images[camera]` is a list of operations on a float32 (3, H, W) picture in [0, 1], applied in order; each is a dict with "op":
      {"op": "crop", "top", "left", "height", "width"}
      {"op": "resize", "height", "width", "antialias"}       bilinear, half-pixel centres, as torchvision's tensor resize; clamps to [0, 1]
      {"op": "normalize", "mean": [3], "std": [3], "eps"}    (x - mean) / (std + eps)
      {"op": "resize_with_pad", "height", "width", "value"}  keep the aspect, bilinear without antialias, pad LEFT and TOP (SmolVLA)
      {"op": "affine", "scale", "offset"}                    x * scale + offset
    """

    images: Mapping[str, tuple[Mapping[str, Any], ...]]  # camera -> operations, cameras in `spec.cameras` order
    state: VectorRecipe
    action: VectorRecipe
    language: LanguageRecipe | None


@dataclass(frozen=True, slots=True)
class PolicyPackage:
    """A package as read from its manifest."""

    folder: Path
    spec: PolicySpec
    graphs: tuple[StageGraph, ...]  # FP32: every graph of every stage; a package made for a board may bring other precisions along
    preprocessing: Preprocessing
    parity: Mapping[str, Any]  # the exporter's report: observations, max_abs, tolerance, per-stage errors, versions
    provenance: Mapping[str, Any]  # checkpoint, revision, lerobot/torch/onnx versions, when
