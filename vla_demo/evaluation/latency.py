"""How long an inference is said to take, and who says so: measured, published, or simply given. A figure never goes without its source."""

from collections.abc import Sequence
from dataclasses import dataclass

from vla_demo.core.errors import InvalidInput
from vla_demo.core.formats import count
from vla_demo.core.policy import PolicySpec
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.variant import Variant
from vla_demo.evaluation.claims.article import PRINTED
from vla_demo.evaluation.roofline import FULL_SIZE, IMX95, checked, predict

__all__ = [
    "LatencySource",
    "given_latency",
    "measured_latency",
    "predicted_latency",
    "published_latency",
]

_ARTICLE = "NXP and Hugging Face, 5 March 2026, six Cortex-A55 of an i.MX95, full-size policy"
_LONGEST_MS = 600_000


@dataclass(frozen=True, slots=True)
class LatencySource:
    """One latency from observation to chunk."""

    seconds: float
    kind: str  # "measured" (here) | "board" (measured there) | "published" | "predicted" | "given"
    about: str  # for a person: where it comes from


def published_latency(spec: PolicySpec, variant: Variant) -> LatencySource:
    """The article's figure for this family: FP32's for FP32, the optimized one's for anything quantized. Raises `InvalidInput`."""
    quantized = any(stage.precision != REFERENCE_PRECISION for stage in variant.stages)
    for row in PRINTED:
        if (row.family, row.quantized) == (spec.family, quantized):
            kind = "optimized (which precisions, it does not say)" if quantized else "FP32"
            return LatencySource(row.latency, "published", f"{_ARTICLE}, {kind}")
    families = ", ".join(sorted({row.family for row in PRINTED}))
    raise InvalidInput(f"the article has no latency for {spec.family}; it has {families}. Give milliseconds instead")


def predicted_latency(spec: PolicySpec, variant: Variant) -> LatencySource:
    """As if the policy were its family's full-size one, on an i.MX95 by `roofline`. Raises `InvalidInput`."""
    work = FULL_SIZE.get(spec.family)
    if work is None:
        raise InvalidInput(f"{spec.family} has no counted full-size policy; there are {', '.join(FULL_SIZE)}. Give milliseconds instead")
    found = predict(work, variant, IMX95)
    band = f"{found.low:.2g} to {found.high:.2g} s, as if it were a full-size {spec.family}"
    return LatencySource(found.seconds, "predicted", f"{band}; {found.about} {checked(spec.family)}")


def measured_latency(seconds: Sequence[float], machine: str) -> LatencySource:
    """The median of some inferences on this machine. `seconds` is not empty."""
    ordered = sorted(seconds)
    return LatencySource(ordered[len(ordered) // 2], "measured", f"median of {count(len(seconds), 'inference')} here, {machine}")


def given_latency(text: str) -> LatencySource:
    """Milliseconds. Raises `InvalidInput`."""
    try:
        ms = float(text)
    except ValueError:
        ms = -1.0
    if not 0 <= ms <= _LONGEST_MS:
        named = "measured, imx95-published, imx95-predicted, board:NAME"
        raise InvalidInput(f"cannot read the latency {text!r}; valid: {named}, or milliseconds from 0 to {_LONGEST_MS}")
    return LatencySource(ms / 1e3, "given", "as given")
