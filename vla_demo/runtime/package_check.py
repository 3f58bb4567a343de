"""Do the parts of a package agree with each other? Pure rules over its data; no file is opened here."""

import re
from collections.abc import Iterator

from vla_demo.core.errors import PackageError
from vla_demo.core.package import PolicyPackage, VectorRecipe
from vla_demo.core.precision import REFERENCE_PRECISION

__all__ = ["VECTOR_STATS", "check_consistency"]

VECTOR_STATS = {
    "IDENTITY": (),
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}  # the statistics each of LeRobot's normalization modes needs


def check_consistency(package: PolicyPackage) -> None:
    """Raise `PackageError` with every contradiction found."""
    problems = [*_spec_problems(package), *_graph_problems(package), *_recipe_problems(package)]
    if problems:
        raise PackageError(f"the package {package.folder} contradicts itself: {'; '.join(problems)}")


def _spec_problems(package: PolicyPackage) -> Iterator[str]:
    spec = package.spec
    if not spec.joint_names or not spec.cameras or not spec.stages:
        yield "it needs at least one joint, one camera and one stage"
    if spec.chunk_size < 1:
        yield f"the chunk size is {spec.chunk_size}"
    if not 1 <= spec.n_action_steps <= spec.chunk_size:
        yield f"it carries out {spec.n_action_steps} of {spec.chunk_size} actions"
    if len(set(spec.cameras)) < len(spec.cameras) or len(set(spec.joint_names)) < len(spec.joint_names):
        yield "a camera or a joint is named twice"
    if set(spec.cameras) != set(package.preprocessing.images):
        yield f"pictures are described for {sorted(package.preprocessing.images)}, the cameras are {sorted(spec.cameras)}"
    yield from _denoising_problems(package)


def _denoising_problems(package: PolicyPackage) -> Iterator[str]:
    spec = package.spec
    loops = any(graph.runs_per_denoise_step for stage in spec.stages for graph in stage.graphs)
    if len({spec.noise_shape is not None, spec.denoise_steps is not None, loops}) > 1:
        yield "denoising steps, the noise's shape and a graph that runs in each step must come together"
    if spec.denoise_steps is not None and spec.denoise_steps < 1:
        yield f"it denoises in {spec.denoise_steps} steps"
    rows, width = spec.noise_shape or (spec.chunk_size, len(spec.joint_names))
    if rows != spec.chunk_size or width < len(spec.joint_names):
        yield f"the noise is {spec.noise_shape} for chunks of {spec.chunk_size} actions of {len(spec.joint_names)} joints"


def _graph_problems(package: PolicyPackage) -> Iterator[str]:
    wanted = [(stage.role, graph.name) for stage in package.spec.stages for graph in stage.graphs]
    listed = [(g.role, g.name, g.precision) for g in package.graphs]
    if len(set(listed)) < len(listed) or len(set(wanted)) < len(wanted):
        yield "a graph is listed twice"
    for role, name in wanted:
        if (role, name, REFERENCE_PRECISION) not in listed:
            yield f"the {REFERENCE_PRECISION} graph {name} of stage {role} is not listed"
    for graph in package.graphs:
        if (graph.role, graph.name) not in wanted:
            yield f"the graph {graph.name} ({graph.precision}) belongs to no stage"
        if not re.fullmatch(r"[0-9a-f]{64}", graph.sha256):  # it becomes a folder's name in the cache
            yield f"the sha256 of {graph.file} is not 64 hexadecimal digits"


def _recipe_problems(package: PolicyPackage) -> Iterator[str]:
    joints = len(package.spec.joint_names)
    yield from _vector_problems("state", package.preprocessing.state, joints)
    yield from _vector_problems("action", package.preprocessing.action, joints)
    language = package.preprocessing.language
    if language is not None and language.max_length < 1:
        yield f"the language is cut to {language.max_length} tokens"


def _vector_problems(what: str, recipe: VectorRecipe, joints: int) -> Iterator[str]:
    if recipe.mode not in VECTOR_STATS:
        yield f"the {what} is normalized by {recipe.mode!r}, known are {', '.join(VECTOR_STATS)}"
        return
    for name in VECTOR_STATS[recipe.mode]:
        if len(recipe.stats.get(name, ())) != joints:
            yield f"{recipe.mode} of the {what} needs {name} of {joints} joints, not {len(recipe.stats.get(name, ()))}"
    if recipe.padded_to is not None and recipe.padded_to < joints:
        yield f"the {what} is padded to {recipe.padded_to} for {joints} joints"
