"""The report of the trap: what each precision of each stage costs in action error, bytes and milliseconds, and where the error arises.

Data only, to JSON and back; who measures it is `study`, who says it in sentences is `findings`. Errors are root mean squares over the
actions of a chunk (padded dimensions left out), in standard deviations of the checkpoint's action, unless a field says otherwise.
Every interval is a mean with its 95 % bootstrap interval, clustered by episode.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vla_demo.core.errors import InvalidInput
from vla_demo.evaluation.bootstrap import LEVEL, RESAMPLES, Interval
from vla_demo.evaluation.fingerprint import RunFingerprint, Verification
from vla_demo.runtime.strict_json import StrictJsonError, from_json, parse_json, to_json

__all__ = [
    "ALL_STAGES",
    "REPORT_VERSION",
    "Bootstrap",
    "Computed",
    "Finding",
    "IterationErrors",
    "LayerRow",
    "Numbers",
    "ReferenceFacts",
    "SensitivityReport",
    "SensitivityRow",
    "Smoothness",
    "StageCost",
    "StepRow",
    "TwoByTwo",
]

REPORT_VERSION = 2
ALL_STAGES = "all"  # the `stage` of a row in which every stage that can has the precision
SIGNIFICANT_DIGITS = 5

Numbers = tuple[float | None, ...]  # None where a ratio has no denominator, as the SQNR of no error


@dataclass(frozen=True, slots=True)
class Computed:
    """When and where the numbers were made: a time means nothing without it."""

    when: str  # ISO 8601, UTC
    machine: str
    seconds: float
    fingerprint: RunFingerprint | None  # of the computation, or of the one that reproduced it later; None where neither is known
    verified: Verification | None = None  # how many of `sensitivity`'s rows that one computed again; None where it computed them itself


@dataclass(frozen=True, slots=True)
class Bootstrap:
    resamples: int = RESAMPLES
    level: float = LEVEL
    clustered_by: str = "episode"


@dataclass(frozen=True, slots=True)
class Smoothness:
    """Definitions: `smoothness.chunk_smoothness`. None where it cannot be said."""

    jerk: float | None
    boundary_jump: float | None
    gripper_flips: float | None


@dataclass(frozen=True, slots=True)
class StageCost:
    bytes: int
    ms: float  # median wall time of a chunk


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """The FP32 policy by itself."""

    vs_recorded: Interval
    seed_spread: Interval | None  # RMS between chunks of one observation from different noise; None without noise
    stages: Mapping[str, StageCost]
    smoothness: Smoothness


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """One stage, or all of them, in one precision. Where `problem` says why it cannot be, the measured fields are None."""

    stage: str  # a role or "all"
    precision: str
    operands: str  # "W8A8", "W4A16", ...
    variant: str
    n_observations: int
    problem: str | None = None
    error: Interval | None = None  # against FP32, same observation, same noise
    max_abs: float | None = None
    p95: float | None = None  # of the absolute errors of single values
    min_cosine: float | None = None  # of a chunk with FP32's
    vs_recorded: Interval | None = None
    verdict: str | None = None  # "not distinguishable" | "worse" | "better": error against the recorded actions, beside FP32's
    bytes: int | None = None
    fp32_bytes: int | None = None
    ms: float | None = None  # median of a chunk, of this stage; measured in turns with FP32's
    fp32_ms: float | None = None
    quantized_nodes: int | None = None
    nodes: int | None = None
    quantized_weight_bytes: int | None = None  # FP32 bytes of the weights that were quantized
    weight_bytes: int | None = None  # FP32 bytes of the weights of all products
    sha256: tuple[str, ...] = ()
    smoothness: Smoothness | None = None


@dataclass(frozen=True, slots=True)
class IterationErrors:
    """Of an expert precision, one number a denoising step. Definitions: `anatomy`."""

    teacher_forced: tuple[float, ...]  # (N,) RMS of the velocity's error on FP32's own path
    free_running: tuple[float, ...]  # (N+1,) RMS between the two paths, 0 first
    propagated: tuple[float, ...]  # (N,) RMS of the velocity's change because the paths differ
    sqnr_db: Numbers  # (N,)
    cosine: Numbers  # (N,) of the two velocities on FP32's path
    kappa: Numbers  # (N,) share of the error that is a mere scale of the velocity


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """How much of the error the prefix and the expert bring alone and together. Definitions: `composition`."""

    precision: str
    prefix: Interval
    expert: Interval
    both: Interval
    ratio: float | None  # |both| / (|prefix| + |expert|)
    residual: float | None  # |both - (prefix + expert)| / |both|
    cosine: float | None  # of both with prefix + expert


@dataclass(frozen=True, slots=True)
class StepRow:
    """One number of denoising steps."""

    steps: int
    solver: Interval  # FP32 with this many steps against FP32 with 100
    quantization: Mapping[str, Interval]  # all stages in a precision against FP32, both with this many steps
    vs_recorded: Interval  # FP32's
    in_seed_spreads: Mapping[str, float | None]  # "solver" and each precision: means over the FP32 policy's own seed-to-seed spread
    ms: float  # median of FP32's expert
    n_observations: int


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer alone in a precision."""

    stage: str
    layer: str
    precision: str
    own_error: float  # relative RMS error of what the layer itself computes
    action_error: Interval
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about the numbers, and what it is about: a figure shows what is said of it, of its stage or precision alone."""

    figure: str  # "heatmap" | "iterations" | "steps" | "two_by_two" | "layers" | "speed" | "by_position" | "smoothness"
    stage: str | None  # a role, or "all"; None where it is not about one stage
    precision: str | None  # None where it is not about one precision
    text: str  # for people: precisions as `core.labels` has them


@dataclass(frozen=True, slots=True)
class SensitivityReport:
    """All of it. Figures a policy has no use for are empty: an ACT has no iterations and no steps."""

    version: int
    policy: str  # as it was asked for
    family: str
    checkpoint: str
    revision: str | None
    denoise_steps: int | None
    chunk_size: int
    fps: float
    computed: Computed
    dataset: str
    episodes: tuple[int, ...]
    n_episodes: int
    n_observations: int
    unit: str
    bootstrap: Bootstrap
    seed: int
    fp32: ReferenceFacts
    sensitivity: tuple[SensitivityRow, ...]
    per_iteration: Mapping[str, IterationErrors]  # by expert precision
    amplification: Mapping[str, Numbers]  # (N,) after step 1, 2, ...
    coherence: Mapping[str, Numbers]
    two_by_two: tuple[TwoByTwo, ...]
    steps: tuple[StepRow, ...]
    by_position: Mapping[str, tuple[float, ...]]  # "fp32" is its error against the recording, a precision's (all stages) is against FP32
    layers: tuple[LayerRow, ...]
    smoothness: Mapping[str, Smoothness]  # "recorded", "fp32" and each precision (all stages)
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data, numbers to five significant digits; the fingerprint as it is."""
        document: dict[str, Any] = _rounded(to_json(self))
        document["computed"]["fingerprint"] = to_json(self.computed.fingerprint)
        return document

    def rounded(self) -> "SensitivityReport":
        """As it will be read back, so that sentences made of it are those of the document."""
        report: SensitivityReport = from_json(SensitivityReport, self.as_json(), "")
        return report

    @classmethod
    def read(cls, text: str) -> "SensitivityReport":
        """The report in a JSON document. Raises `InvalidInput` for anything else, naming the place, and for one of another version."""
        try:
            document = parse_json(text)
            version = document.get("version", REPORT_VERSION) if isinstance(document, dict) else REPORT_VERSION
            if version != REPORT_VERSION:
                raise InvalidInput(
                    f"this trap report has version {version}, and this program reads version {REPORT_VERSION}: "
                    "compute it again with `vla-demo trap`"
                )
            report: SensitivityReport = from_json(cls, document, "")
        except (StrictJsonError, json.JSONDecodeError) as problem:
            raise InvalidInput(f"this is no trap report: {problem}") from None
        return report


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value
