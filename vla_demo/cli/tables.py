"""Results as text for a terminal, every figure with what it was measured on and over how many."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vla_demo.core.formats import count, in_megabytes, percent
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.evaluation.replay import ReplayReport
from vla_demo.runtime.graph_store import Receipt

__all__ = ["aligned", "package_json", "package_table", "replay_json", "replay_table"]

Rows = Sequence[Sequence[str]]


def replay_json(report: ReplayReport, graphs: Sequence[StageGraph], receipts: Sequence[Receipt] = ()) -> dict[str, Any]:
    """The report, and of each graph that ran how much of it is quantized, what made it and what proves it."""
    return {**report.as_json(), "graphs": [_graph(g) | _proof(g, receipts) for g in graphs]}


def replay_table(report: ReplayReport, policy: str, receipts: Sequence[Receipt] = ()) -> str:
    """Errors by joint, then the stages, then the proof that they are what they are called."""
    parts = [_headline(report, policy), _joints(report), _distance(report), _stages(report), _proofs(receipts)]
    return "\n\n".join(text for text in ("\n".join(part) for part in parts) if text)


def package_json(package: PolicyPackage) -> dict[str, Any]:
    spec = package.spec
    return {
        "package": str(package.folder),
        "family": spec.family,
        "checkpoint": spec.checkpoint,
        "revision": spec.revision,
        "cameras": list(spec.cameras),
        "joints": list(spec.joint_names),
        "chunk_size": spec.chunk_size,
        "denoise_steps": spec.denoise_steps,
        "graphs": [_graph(g) for g in package.graphs],
        "package_bytes": sum(g.size_bytes for g in package.graphs),
        "parity": dict(package.parity),
        "provenance": dict(package.provenance),
    }


def package_table(package: PolicyPackage) -> str:
    rows = [["stage", "graph", "precision", "MB"]]
    rows += [[g.role, g.name, g.precision, in_megabytes(g.size_bytes)] for g in package.graphs]
    lines = [f"{package.spec.family} {package.spec.checkpoint} in {package.folder}", "", *aligned(rows, left=3)]
    parity = package.parity
    if "max_error" in parity and "tolerance" in parity:
        observations = parity.get("observations", "?")
        proof = f"max error {parity['max_error']:.1e} of at most {parity['tolerance']:.0e} standard deviations, {observations} observations"
        lines += ["", f"parity with PyTorch: {proof}"]
    return "\n".join(lines)


def _headline(report: ReplayReport, policy: str) -> Iterator[str]:
    extent = f"{report.frames} frames" if report.frames == report.episode_frames else f"{report.frames} of {report.episode_frames} frames"
    yield f"{policy}  {report.variant}"
    yield f"episode {report.episode}, {extent}, {count(report.chunks, 'chunk')}, seed {report.seed}"


def _joints(report: ReplayReport) -> Iterator[str]:
    """Mean absolute errors, in dataset units."""
    yield "mean absolute error"
    rows = [["joint", "executed", "whole chunk", "FP32 executed", "from FP32"]]
    columns = (report.executed_mae, report.chunk_mae, report.reference_executed_mae, report.reference_mae)
    rows += [[joint, *(f"{column[joint]:.3f}" for column in columns)] for joint in report.joint_names]
    yield from aligned(rows, left=1)


def _distance(report: ReplayReport) -> Iterator[str]:
    yield f"within tolerance  {percent(report.within_tolerance, 1)}  ({report.tolerance_definition})"
    if report.is_reference:
        yield "vs reference      this is the FP32 reference itself; it ran once"
        return
    yield f"vs reference      {report.reference}, same noise"
    yield f"                  max error {report.reference_max_abs:.3f} ({report.reference_max_abs_std:.4f} standard deviations)"
    yield f"                  smallest cosine of a chunk {report.reference_min_cosine:.6f} (normalized by the {report.normalized_by})"


def _stages(report: ReplayReport) -> Iterator[str]:
    rows = [["stage", "precision", "ms p50", "ms p95", "FP32 ms p50", "MB"]]
    for role, ms in report.stage_ms.items():
        reference = report.reference_stage_ms[role]["p50"]
        times = [f"{value:.1f}" for value in (ms["p50"], ms["p95"], reference)]
        rows.append([role, report.variant.precision(role), *times, in_megabytes(report.stage_bytes[role])])
    yield from aligned(rows, left=2)
    yield f"measured {report.measured}"


def _proofs(receipts: Sequence[Receipt]) -> Iterator[str]:
    """Counted in the graphs themselves; weights in bytes of FP32."""
    if not receipts:
        return
    rows = [
        [
            "graph",
            "precision",
            "quantized products",
            "quantized weights, FP32 MB",
            "sha256",
            "largest difference from FP32 on random inputs",
        ]
    ]
    for receipt in receipts:
        graph, difference = receipt.graph, receipt.difference
        weights = f"{in_megabytes(graph.quantized_weight_bytes)} of {in_megabytes(graph.weight_bytes)}"
        largest = f"{max(difference.values()):.2g}" if difference else "nothing to quantize"
        rows.append([graph.name, graph.precision, f"{graph.quantized_nodes} of {graph.nodes}", weights, graph.sha256[:12], largest])
    yield from aligned(rows, left=2)
    reasons = Counter(decision.reason for receipt in receipts for decision in receipt.decisions if decision.reason)
    yield from (f"left in FP32, {count}: {reason}" for reason, count in reasons.most_common())
    yield from dict.fromkeys(_calibrated(receipt.made_with["calibration"]) for receipt in receipts if "calibration" in receipt.made_with)


def _calibrated(facts: Mapping[str, Any]) -> str:
    episodes = ", ".join(map(str, facts["episodes"]))
    return f"calibrated on {facts['observations']} observations of {facts['split']} episodes {episodes} of {facts['source']}"


def aligned(rows: Rows, left: int) -> Iterator[str]:
    """Columns two blanks apart, the first `left` of them flush left and the others flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()


def _graph(graph: StageGraph) -> dict[str, Any]:
    keys = ("role", "name", "precision", "size_bytes", "sha256", "nodes", "quantized_nodes", "weight_bytes", "quantized_weight_bytes")
    return {key: getattr(graph, key) for key in keys}


def _proof(graph: StageGraph, receipts: Sequence[Receipt]) -> dict[str, Any]:
    mine = next((receipt for receipt in receipts if receipt.graph == graph), None)
    if mine is None:
        return {}
    decisions = [asdict(decision) for decision in mine.decisions]
    return {"made_with": dict(mine.made_with), "difference_from_fp32": dict(mine.difference), "decisions": decisions}
