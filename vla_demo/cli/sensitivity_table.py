"""The trap report as text for a terminal: figures as tables, each with what it is in and over how many, then the findings."""

from collections.abc import Iterator

from vla_demo.cli.tables import aligned
from vla_demo.core.formats import count, in_megabytes
from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import SensitivityReport, SensitivityRow

__all__ = ["trap_table"]

MOST_SENSITIVE = 5


def trap_table(report: SensitivityReport) -> str:
    """Everything a person wants to see first; `--json` has the rest."""
    parts = [
        _headline(report),
        _sensitivity(report),
        _iterations(report),
        _squares(report),
        _sweep(report),
        _layers(report),
        _findings(report),
    ]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _headline(report: SensitivityReport) -> Iterator[str]:
    seen = f"{count(report.n_episodes, 'episode')}, {count(report.n_observations, 'observation')}"
    yield f"{report.policy}  {report.dataset}, {seen}, seed {report.seed}"
    yield f"errors: root mean square over a chunk, in {report.unit}"
    spread = f", from seed to seed {_interval(report.fp32.seed_spread)}" if report.fp32.seed_spread else ""
    yield f"FP32: from the recording {_interval(report.fp32.vs_recorded)}{spread}"


def _sensitivity(report: SensitivityReport) -> Iterator[str]:
    yield "what each precision costs, beside FP32 with the same noise"
    heads = [
        "stage",
        "precision",
        "computes",
        "error",
        "95 %",
        "max",
        "cosine",
        "vs recorded",
        "ms",
        "FP32 ms",
        "MB",
        "FP32 MB",
        "quantized",
    ]
    yield from aligned([heads, *(_cells(row) for row in report.sensitivity if row.problem is None)], left=3)
    for row in report.sensitivity:
        if row.problem is not None:
            yield f"{row.stage} in {row.precision}: {row.problem}"
    yield f"intervals: bootstrap over episodes; times: medians, in turns with FP32, {report.computed.machine}"
    if report.computed.fingerprint is not None:
        yield f"fingerprint: {report.computed.fingerprint.digest} (settings, graphs, code, libraries and machine; --json lists them)"


def _cells(row: SensitivityRow) -> list[str]:
    assert row.error and row.ms is not None and row.fp32_ms is not None and row.bytes is not None and row.fp32_bytes is not None
    return [
        *(row.stage, row.precision, row.operands),
        f"{row.error.mean:.2g}",
        f"{row.error.low:.2g}..{row.error.high:.2g}",
        f"{row.max_abs:.2g}",
        f"{row.min_cosine:.4f}",
        row.verdict or "",
        f"{row.ms:.1f}",
        f"{row.fp32_ms:.1f}",
        in_megabytes(row.bytes),
        in_megabytes(row.fp32_bytes),
        f"{row.quantized_nodes} of {row.nodes}",
    ]


def _iterations(report: SensitivityReport) -> Iterator[str]:
    if not report.per_iteration:
        return
    yield "error after each denoising step, by the expert's precision (teacher-forced: of the velocity, on FP32's path)"
    rows = [["", "", *(str(k + 1) for k in range(report.denoise_steps or 0))]]
    for precision, errors in report.per_iteration.items():
        rows.append([precision, "teacher-forced", *(f"{e:.2g}" for e in errors.teacher_forced)])
        rows.append(["", "free-running", *(f"{e:.2g}" for e in errors.free_running[1:])])
        rows.append(["", "SQNR dB", *("-" if s is None else f"{s:.0f}" for s in errors.sqnr_db)])
        rows.append(["", "amplification", *("-" if a is None else f"{a:.2f}" for a in report.amplification[precision])])
    yield from aligned(rows, left=2)


def _squares(report: SensitivityReport) -> Iterator[str]:
    if not report.two_by_two:
        return
    yield "error with a quantized prefix, expert, and both"
    rows = [["precision", "prefix", "expert", "both", "ratio", "residual", "cosine"]]
    for square in report.two_by_two:
        parts = [f"{part.mean:.2g}" for part in (square.prefix, square.expert, square.both)]
        rows.append([square.precision, *parts, *(_optional(v) for v in (square.ratio, square.residual, square.cosine))])
    yield from aligned(rows, left=1)


def _sweep(report: SensitivityReport) -> Iterator[str]:
    if not report.steps:
        return
    observations = report.steps[0].n_observations
    yield f"denoising steps: the solver's error (against 100 steps) and each precision's, in all stages (n = {observations})"
    precisions = list(report.steps[0].quantization)
    rows = [["steps", "solver", *precisions, "FP32 vs recorded", "expert ms"]]
    for row in report.steps:
        errors = [f"{row.quantization[p].mean:.2g}" for p in precisions]
        rows.append([str(row.steps), f"{row.solver.mean:.2g}", *errors, f"{row.vs_recorded.mean:.2g}", f"{row.ms:.1f}"])
    yield from aligned(rows, left=0)


def _layers(report: SensitivityReport) -> Iterator[str]:
    if not report.layers:
        return
    yield f"layers that cost most alone, {MOST_SENSITIVE} of each precision"
    rows = [["stage", "layer", "precision", "error", "own error", "KB FP32"]]
    for precision in dict.fromkeys(layer.precision for layer in report.layers):
        ranked = sorted((x for x in report.layers if x.precision == precision), key=lambda x: x.action_error.mean, reverse=True)
        for x in ranked[:MOST_SENSITIVE]:
            rows.append([x.stage, x.layer, precision, f"{x.action_error.mean:.2g}", f"{x.own_error:.2g}", f"{x.weight_bytes / 1e3:.0f}"])
    yield from aligned(rows, left=3)


def _findings(report: SensitivityReport) -> Iterator[str]:
    for finding in report.findings:
        yield f"- {finding.text}"


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.3g} ({interval.low:.3g}..{interval.high:.3g})"


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
