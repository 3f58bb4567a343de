"""`export_checkpoint`: a checkpoint in, a package out, or nothing. The package is proven against PyTorch before it appears."""

import gc
import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.checkpoints import CheckpointFolder, ReferencePolicy, load_reference, resolve
from vla_demo.core.demo import find_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.core.folders import whole_folder
from vla_demo.core.package import MANIFEST_FILE, PolicyPackage, Preprocessing, StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.export.language import write_tokenizer
from vla_demo.export.observations import ParityInputs, parity_inputs
from vla_demo.export.parity import Case, action_scale, check_parity, graph_errors, measure
from vla_demo.export.preprocessing import read_preprocessing, recorded_action_std
from vla_demo.export.stages import first_tensors, module_for
from vla_demo.runtime import graph_of_file, open_policy, read_manifest, write_manifest

__all__ = ["export_checkpoint"]

_LIBRARIES = ("lerobot", "torch", "transformers", "onnx", "onnxscript", "onnxruntime")


class Progress(Protocol):
    """Called with what is being done and how much of the whole is done, 0..1; it may raise `Stopped`."""

    def __call__(self, text: str, fraction: float | None = None) -> None: ...


def export_checkpoint(source: str, out: Path | str, revision: str | None = None, progress: Progress | None = None) -> PolicyPackage:
    """Cut a checkpoint (bundled name, folder or Hub id) into stage graphs, prove them, and write the package into the folder `out`.

    An older package in `out` is replaced as a whole; whatever goes wrong, Ctrl-C included, leaves it as it was and nothing half-written.
    Raises `CheckpointError`, `ParityError` (with the report), `InvalidInput` for an `out` that holds something else, `MissingPiece`.
    """
    out, say = Path(out), progress or _silent
    _refuse_foreign(out)
    say(f"Looking for {source}", 0.0)
    checkpoint = resolve(source, revision)
    with whole_folder(out) as folder:
        cut = _cut(checkpoint, folder, say)
        gc.collect()  # the PyTorch policy is gone before the graphs are loaded: a large one fits once, not twice
        write_manifest(cut.package)
        write_manifest(replace(cut.package, parity=_proven(cut, say)))
    say("Done", 1.0)
    return read_manifest(out)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A package without proof, and all that is needed for one."""

    package: PolicyPackage
    cases: tuple[Case, ...]
    source: str  # of the cases, in words
    trace: Mapping[str, NDArray[np.generic]]  # PyTorch's tensors of the first case, through all graphs
    action_std: tuple[float, ...] | None


def _cut(checkpoint: CheckpointFolder, folder: Path, say: Progress) -> _Cut:
    """Everything that needs PyTorch; when it returns, nothing holds the policy any more."""
    say(f"Loading {checkpoint.name} in PyTorch", 0.02)
    reference = load_reference(checkpoint)
    preprocessing = read_preprocessing(reference)
    demo = find_demo()
    sizes = _picture_sizes(reference, preprocessing)
    inputs = parity_inputs(reference.spec, preprocessing, sizes, None if demo is None else demo.episodes)
    graphs, trace = _write_graphs(reference, inputs, folder, say)
    if preprocessing.language is not None:
        write_tokenizer(reference, folder)
    cases = tuple(_answered(reference, inputs, say))
    package = PolicyPackage(folder, reference.spec, graphs, preprocessing, parity={}, provenance=_provenance(reference.spec))
    return _Cut(package, cases, inputs.source, trace, recorded_action_std(reference.folder))


def _write_graphs(
    reference: ReferencePolicy, inputs: ParityInputs, folder: Path, say: Progress
) -> tuple[tuple[StageGraph, ...], dict[str, NDArray[np.generic]]]:
    """The FP32 graphs in running order, and the tensors PyTorch had at their ends."""
    from vla_demo.export.graphs import run_module, write_graph

    tensors = first_tensors(reference, inputs.observations[0], inputs.noises[0])
    todo = [(stage.role, graph) for stage in reference.spec.stages for graph in stage.graphs]
    written = []
    for index, (role, graph) in enumerate(todo):
        say(f"Exporting the graph {graph.name} ({index + 1} of {len(todo)})", 0.05 + 0.45 * index / len(todo))
        module = module_for(graph.name, reference, tensors).eval()
        outputs = run_module(module, graph, tensors)
        write_graph(module, graph, tensors, folder / f"{graph.name}.onnx")
        written.append(graph_of_file(folder, role=role, name=graph.name, file=f"{graph.name}.onnx"))
        tensors |= outputs
        del module
        gc.collect()
    return tuple(written), {name: tensor.numpy() for name, tensor in tensors.items()}


def _answered(reference: ReferencePolicy, inputs: ParityInputs, say: Progress) -> Iterator[Case]:
    count = len(inputs.observations)
    for index, (observation, noise) in enumerate(zip(inputs.observations, inputs.noises, strict=True)):
        say(f"Asking PyTorch ({index + 1} of {count})", 0.5 + 0.3 * index / count)
        reference.reset()
        yield Case(observation, noise, reference.predict_chunk(observation, noise=noise).actions)


def _proven(cut: _Cut, say: Progress) -> dict[str, Any]:
    """The parity report. Raises `ParityError`."""
    policy, count = open_policy(cut.package.folder), len(cut.cases)
    worst = measure(policy, cut.cases, lambda index: say(f"Comparing with PyTorch ({index + 1} of {count})", 0.8 + 0.2 * index / count))
    facts = {
        "observations": count,
        "source": cut.source,
        "denoise_steps": cut.package.spec.denoise_steps,
        "graph_errors": graph_errors(policy, cut.trace),
    }
    scale = action_scale(cut.package.preprocessing.action, cut.action_std, cut.cases)
    return check_parity(cut.package.spec.joint_names, worst, scale, facts)


def _picture_sizes(reference: ReferencePolicy, preprocessing: Preprocessing) -> dict[str, tuple[int, int]]:
    """Height and width of the pictures the config speaks of, made large enough for the processor's crop."""
    features = (f for key, f in reference.loaded.config.image_features.items() if ".empty_camera_" not in key)
    sizes = {}
    for camera, feature in zip(reference.spec.cameras, features, strict=True):
        crops = [(o["top"] + o["height"], o["left"] + o["width"]) for o in preprocessing.images[camera] if o["op"] == "crop"]
        sizes[camera] = (max(feature.shape[1], *(h for h, _ in crops), 0), max(feature.shape[2], *(w for _, w in crops), 0))
    return sizes


def _provenance(spec: PolicySpec) -> dict[str, Any]:
    return {
        "checkpoint": spec.checkpoint,
        "revision": spec.revision,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _refuse_foreign(out: Path) -> None:
    foreign_folder = out.is_dir() and not (out / MANIFEST_FILE).is_file() and any(out.iterdir())
    if foreign_folder or out.is_file():
        raise InvalidInput(f"{out} exists and is not an exported package, so it will not be replaced; choose another folder")


def _silent(text: str, fraction: float | None = None) -> None:
    """Nobody is watching."""
