"""Smoothing: moves the reach of an activation's channels into the weights that read it, so that 8 bits suffice for both.

As in SmoothQuant (arXiv 2211.10438) channel j is divided by s_j = max|x_j|^alpha / max|w_j|^(1 - alpha). Alpha is chosen for each seam by
the error it predicts, in closed form from the ranges on calibration data, for 8-bit activations with one step for a whole tensor and 8-bit
weights with one for each output: E[error^2] = step_x^2 / 12 * sum(s_j^2 w_j^2) + m * step_w^2 / 12 * sum(E[x_j^2] / s_j^2). The error of a
weight is the same for every token and at every denoising step and adds up, that of an activation is not: m = 3 gave the smallest error of
whole chunks of 1, 3, 10 and 30. Ranges that change over the denoising steps enter with each step's own activation step. Scales of their own
for each denoising step were measured too: they would take 4 % off the error of a layer, and a copy of its weights for every step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.quantization.calibration import Feeds, Where
from vla_demo.quantization.channels import ChannelRanges, channel_ranges
from vla_demo.quantization.rewriting import Rewriting, rewriting
from vla_demo.quantization.seams import Seam, find_seams, separate_vectors

__all__ = ["ALPHAS", "predicted_error", "smooth_graph", "smoothing_scale"]

Array = NDArray[np.floating[Any]]
ALPHAS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_CODES_X, _CODES_W = 255, 127  # steps of asymmetric activations and symmetric weights
_REPEATED = 3.0  # m above
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Smoothing:
    """What was done at one seam."""

    readers: tuple[str, ...]  # layers
    alpha: float | None  # None: left as it was
    folded: bool  # into constants; else a product was added
    error: float  # predicted relative error of what the readers compute, after
    error_before: float


@dataclass(frozen=True, slots=True)
class _Scales:
    """What weights and activations are multiplied by; each 1-D, by name."""

    rows: dict[str, Array] = field(default_factory=dict)  # weights (K, N), along K
    columns: dict[str, Array] = field(default_factory=dict)  # constants (..., K), along K
    explicit: dict[str, Array] = field(default_factory=dict)  # activations (..., K)

    def add(self, seam: Seam, scale: Array) -> None:
        self.rows.update(dict.fromkeys(seam.weights, scale))
        if seam.folds:
            self.columns.update(dict.fromkeys(seam.folds, 1 / scale))
        else:
            self.explicit[seam.activation] = 1 / scale


def smooth_graph(
    prepared: Path, target: Path, feeds: Feeds, where: Where, *, alphas: Sequence[float] = ALPHAS, worth: float = 0.75
) -> list[Smoothing]:
    """Write the smoothed FP32 graph, which computes the same; answers what was done at each seam one of whose readers `where` chose.

    `feeds` are the graph's inputs by name, in the shapes it reads. Where the division costs a product of its own, it is made only if
    it brings the error under `worth` of what it was.
    """
    found: list[Smoothing] = []
    with rewriting(prepared, target) as to:
        separate_vectors(to)
        seams = [seam for seam in find_seams(to.model) if any(map(where, seam.readers))]
        ranges = channel_ranges(prepared, [seam.activation for seam in seams], feeds) if seams else {}
        scales = _Scales()
        for seam in seams:
            done, scale = _chosen(seam, ranges[seam.activation], [to.weight(name) for name in seam.weights], alphas, worth)
            found.append(done)
            if scale is not None:
                scales.add(seam, scale)
        _write(to, scales)
    return found


def smoothing_scale(reach: Array, weights: Sequence[Array], alpha: float) -> Array:
    """s (K,) for an activation of `reach` (K,) and the weights (K, N) that read it; 1 where a channel is silent or unread, mean log 0."""
    widest = np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0)
    counts = (reach > _TINY) & (widest > _TINY)
    log = np.where(counts, alpha * np.log(np.maximum(reach, _TINY)) - (1 - alpha) * np.log(np.maximum(widest, _TINY)), 0.0)
    if counts.any():
        log = np.where(counts, log - log[counts].mean(), 0.0)
    scale: Array = np.exp(log)
    return scale


def predicted_error(ranges: ChannelRanges, weights: Sequence[Array], scale: Array) -> float:
    """Relative RMS error of the readers' outputs in W8A8 after dividing the activation by `scale` (K,); a mean over the readers."""
    high = np.maximum((ranges.high / scale).max(axis=1), 0.0)
    low = np.minimum((ranges.low / scale).min(axis=1), 0.0)
    step_x = float(np.mean(((high - low) / _CODES_X) ** 2))
    rows = scale.astype(ranges.high.dtype)[:, None]  # a weight may have a gigabyte: no copies in double precision
    shares = [_noise(weight * rows, step_x, ranges.power / scale**2) / _signal(weight, ranges.power) for weight in weights]
    return float(np.sqrt(np.mean(shares)))


def _noise(weight: Array, step_x: float, power: Array) -> float:
    steps_w = (np.abs(weight).max(axis=0) / _CODES_W) ** 2
    return float((step_x * np.square(weight).sum() + _REPEATED * steps_w.sum() * power.sum()) / 12)


def _signal(weight: Array, power: Array) -> float:
    return float(np.square(weight).sum(axis=1) @ power) + _TINY


def _chosen(
    seam: Seam, ranges: ChannelRanges, weights: Sequence[Array], alphas: Sequence[float], worth: float
) -> tuple[Smoothing, Array | None]:
    before = predicted_error(ranges, weights, np.ones(seam.channels))
    scales = {alpha: smoothing_scale(ranges.reach, weights, alpha) for alpha in alphas}
    errors = {alpha: predicted_error(ranges, weights, scale) for alpha, scale in scales.items()}
    alpha = min(errors, key=lambda a: errors[a])
    if errors[alpha] >= before * (1.0 if seam.folds else worth):
        return Smoothing(seam.readers, None, False, before, before), None
    return Smoothing(seam.readers, alpha, bool(seam.folds), errors[alpha], before), scales[alpha]


def _write(to: Rewriting, scales: _Scales) -> None:
    for node in to.model.graph.node:
        if node.input and node.input[0] in scales.explicit and node.input[1] in scales.rows:
            node.input[0] = _divide(to, node.input[0], scales.explicit)
        to.keep(node)
    for name in {*scales.rows, *scales.columns}:
        to.constant(name, _scale_weight(to.weight(name), scales.rows.get(name), scales.columns.get(name)))


def _divide(to: Rewriting, activation: str, explicit: Mapping[str, Array]) -> str:
    factor = f"{activation}_smoothing"
    if f"{activation}_smooth" not in {output for node in to.nodes for output in node.output}:
        to.constant(factor, explicit[activation].astype(np.float32))
    return to.shared("Mul", [activation, factor], f"{activation}_smooth")


def _scale_weight(value: Array, rows: Array | None, columns: Array | None) -> NDArray[np.float32]:
    scaled = np.array(value, np.float32)
    if rows is not None:
        scaled *= rows[:, None].astype(np.float32)
    if columns is not None:
        scaled *= columns.astype(np.float32)
    return scaled
