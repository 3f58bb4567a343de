"""What a measured number hangs on: settings, package, graphs, code, libraries, machine. An old number is never shown as one of today.

Where two fingerprints are equal, a rollout is the same bit for bit. `same_machine` asks less: whether it should be, however the code was
rewritten since.
"""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from vla_demo.core.package import PolicyPackage
from vla_demo.core.processor import Processor, this_processor
from vla_demo.core.storage import cache_folder, fingerprint
from vla_demo.core.variant import Variant
from vla_demo.evaluation.source_digest import source_digests
from vla_demo.runtime.graph_store import GraphStore, located, reference_graphs
from vla_demo.runtime.manifest import package_file
from vla_demo.runtime.strict_json import to_json

__all__ = ["GraphRun", "RunFingerprint", "Verification", "fingerprint_run"]

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class GraphRun:
    """One graph that really ran."""

    stage: str
    graph: str
    precision: str
    sha256: str
    made_with: Mapping[str, Any]  # scheme, its settings and versions, as its receipt has them; empty for one that came in the package


@dataclass(frozen=True, slots=True)
class RunFingerprint:
    """All that decides a run's numbers."""

    settings: Mapping[str, Any]  # of the run
    package: str  # sha256 of what else the package says: specification, preprocessing, tokenizer
    graphs: tuple[GraphRun, ...]
    code: Mapping[str, str]  # room -> digest, see `source_digests`
    libraries: Mapping[str, str]  # name -> version
    processor: Processor
    renderer: str | None  # what drew the pictures; None where they were recorded

    @property
    def digest(self) -> str:
        """Short, for names and small print."""
        return hashlib.sha256(json.dumps(to_json(self), sort_keys=True).encode()).hexdigest()[:_DIGITS]

    def same_machine(self, other: "RunFingerprint") -> bool:
        """Whether libraries, processor and renderer are the same, so that the same logic gives the same bits."""
        return (self.libraries, self.processor, self.renderer) == (other.libraries, other.processor, other.renderer)


@dataclass(frozen=True, slots=True)
class Verification:
    """How much of a result was run again later, with all of it coming out the same."""

    reproduced: int
    of: int
    when: str  # ISO 8601, UTC


def fingerprint_run(
    package: PolicyPackage,
    variants: Sequence[Variant],
    settings: Mapping[str, Any],
    *,
    module: str,
    libraries: Sequence[str],
    renderer: str | None = None,
) -> RunFingerprint:
    """Of what `module` (a dotted name) does with `variants` of a package, all of whose graphs are made. `libraries` are distributions.

    Raises `PackageError` for a graph that has not been made yet.
    """
    return RunFingerprint(
        settings=to_json(settings),
        package=_package_digest(package),
        graphs=_graphs_run(package, variants),
        code=source_digests(module),
        libraries={"python": ".".join(platform.python_version_tuple()[:2]), **{name: version(name) for name in libraries}},
        processor=this_processor(),
        renderer=renderer,
    )


def _graphs_run(package: PolicyPackage, variants: Sequence[Variant]) -> tuple[GraphRun, ...]:
    """Each once, in running order, variant by variant."""
    store, found = GraphStore(cache_folder()), dict[tuple[str, str, str], GraphRun]()
    for variant in variants:
        for fp32 in reference_graphs(package):
            graph, _ = located(package, store, fp32, variant)
            receipt = store.find(fp32, graph.precision)
            made_with = receipt.made_with if receipt is not None and receipt.graph == graph else {}
            found[graph.role, graph.name, graph.precision] = GraphRun(graph.role, graph.name, graph.precision, graph.sha256, made_with)
    return tuple(found.values())


def _package_digest(package: PolicyPackage) -> str:
    """Without the checkpoint's name: the same policy under another name acts the same."""
    recipes = package.preprocessing
    told = {"spec": to_json(replace(package.spec, checkpoint="", revision=None)), "preprocessing": to_json(recipes)}
    if recipes.language is not None:
        told["tokenizer"] = fingerprint([package_file(package.folder, recipes.language.tokenizer_file)]).sha256
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
