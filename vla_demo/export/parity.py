"""The gate every package passes: the whole pipeline, physical observation in, physical actions out, against LeRobot's with the same noise.

The graphs alone could agree while a wrong resize, tokenizer or statistic made the policy fail; so the package is opened as any user would
open it, and the largest error counts, not a cosine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import ParityError
from vla_demo.core.observation import Observation
from vla_demo.core.package import StageGraph, VectorRecipe
from vla_demo.core.policy import GraphSpec
from vla_demo.runtime import ExportedPolicy
from vla_demo.runtime.manifest import package_file
from vla_demo.runtime.package_check import VECTOR_STATS
from vla_demo.runtime.sessions import GraphFile, open_session

__all__ = ["TOLERANCE", "ActionScale", "Case", "action_scale", "check_parity", "graph_errors", "measure"]

TOLERANCE = 1e-4  # of the action's scale, per joint

Tensors = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Case:
    """One observation and what PyTorch answers to it."""

    observation: Observation
    noise: NDArray[np.float32] | None  # (T, A); None for a policy that does not denoise
    actions: NDArray[np.float32]  # (T, J) dataset units


@dataclass(frozen=True, slots=True)
class ActionScale:
    """What an error is measured in."""

    values: NDArray[np.float64]  # (J,) dataset units
    meaning: str  # in words, for the manifest


def action_scale(recipe: VectorRecipe, std: Sequence[float] | None, cases: Sequence[Case]) -> ActionScale:
    """The standard deviation of the recorded actions where the checkpoint knows it; else the closest thing it does know."""
    if std is not None:
        return ActionScale(np.asarray(std, np.float64), "standard deviation of the recorded actions, from the checkpoint's statistics")
    if recipe.mode != "IDENTITY":
        low, high = (np.asarray(recipe.stats[name], np.float64) for name in VECTOR_STATS[recipe.mode])
        return ActionScale((high - low) / 4, f"a quarter of the range the checkpoint's {recipe.mode} statistics span")
    spread = np.concatenate([case.actions for case in cases]).std(axis=0, dtype=np.float64)
    return ActionScale(spread, "standard deviation of the reference's own actions; the checkpoint has no statistics")


def measure(policy: ExportedPolicy, cases: Sequence[Case], watch: Callable[[int], None]) -> NDArray[np.float64]:
    """(J,) the largest |error| over all cases and actions, dataset units; infinite where a number is not finite."""
    worst = np.zeros(len(policy.spec.joint_names))
    for index, case in enumerate(cases):
        watch(index)
        actions = policy.predict_chunk(case.observation, noise=case.noise).actions
        error = np.abs(actions.astype(np.float64) - case.actions).max(axis=0)
        worst = np.maximum(worst, np.where(np.isfinite(error), error, np.inf))
    return worst


def check_parity(joint_names: Sequence[str], worst: NDArray[np.float64], scale: ActionScale, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The report for the manifest, `facts` included; `worst` is (J,) in dataset units.

    Raises `ParityError`, carrying it, when a joint misses `TOLERANCE`.
    """
    shares = np.array([_share(error, unit) for error, unit in zip(worst, scale.values, strict=True)])
    report = {
        "max_error": float(shares.max()),
        "tolerance": TOLERANCE,
        "measured_in": scale.meaning,
        "max_abs": dict(zip(joint_names, map(float, worst), strict=True)),  # dataset units
        **facts,
    }
    if not shares.max() <= TOLERANCE:
        joint = joint_names[int(shares.argmax())]
        raise ParityError(
            f"the exported graphs differ from PyTorch by {shares.max():.2g} standard deviations at {joint}, allowed are {TOLERANCE:g}; "
            f"errors of the single graphs: {_graphs_in_words(facts)}",
            report,
        )
    return report


def graph_errors(policy: ExportedPolicy, trace: Tensors) -> dict[str, dict[str, float]]:
    """Each graph alone on PyTorch's own tensors, in the shapes it reads: its outputs' largest |error| as a share of the largest |value|."""
    errors = {}
    specs = {graph.name: graph for stage in policy.spec.stages for graph in stage.graphs}
    for graph in policy.package.graphs:
        errors[graph.name] = _graph_error(policy, graph, specs[graph.name], trace)
    return errors


def _graph_error(policy: ExportedPolicy, graph: StageGraph, spec: GraphSpec, trace: Tensors) -> dict[str, float]:
    session = open_session(GraphFile(package_file(policy.package.folder, graph.file), graph.sha256))
    found = session.run({name: trace[name] for name in spec.inputs})
    return {name: _largest(found[name], trace[name]) for name in spec.outputs}


def _largest(found: NDArray[np.generic], wanted: NDArray[np.generic]) -> float:
    a, b = (np.asarray(v, np.float64) for v in (found, wanted))
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-12))


def _share(error: float, unit: float) -> float:
    """A joint that never moved has no unit; only no error at all will do."""
    return error / unit if unit > 0 else (0.0 if error == 0 else np.inf)


def _graphs_in_words(facts: Mapping[str, Any]) -> str:
    errors = facts.get("graph_errors", {})
    return ", ".join(f"{name} {max(outputs.values()):.1g}" for name, outputs in errors.items()) or "not measured"
