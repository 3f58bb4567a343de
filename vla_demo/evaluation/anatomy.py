"""Where in the denoising a quantized expert goes wrong: its velocity field beside FP32's, on FP32's path and on its own.

Definitions, for one observation and one noise, with h the Euler step (-1/N), v the velocity, F for FP32 and Q for quantized:

  teacher-forced error   e_k = v_Q(x_k^F) - v_F(x_k^F)       fresh error: FP32's path, so nothing has accumulated
  free-running error     E_k = x_k^Q - x_k^F                 each policy on its own path from the same noise
  propagated difference  p_k = v_Q(x_k^Q) - v_Q(x_k^F)       what the field makes of the paths being apart
  exact split            E_{k+1} = E_k + h e_k + h p_k       an identity of Euler's method: add and subtract v_Q(x_k^F)
  without feedback       B_k = sum_{j<k} h e_j               where the paths would be apart if the field did not react
  amplification          A_k = |E_k| / |B_k|                 over 1 the loop amplifies, under 1 it contracts
  coherence              C_k = |B_k| / sum_{j<k} |h e_j|     1: every step errs in the same direction; 1/sqrt(k): at random
  SQNR                   10 log10(|v_F|^2 / |e_k|^2) dB
  kappa                  <e_k, v_F> / |v_F|^2                the part of the error that merely scales the velocity

Sources: the teacher-forced and free-running pair as in the analysis of diffusion quantization (PTQD, He et al., NeurIPS 2023, which
also separates the correlated part, kappa); the split and A_k, C_k follow from Euler's method and are defined here. |.| is the root mean
square over the actions of a chunk, padded dimensions left out. Over several chunks norms are averaged, and energies for SQNR, cosine
and kappa summed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_demo.evaluation.flow import ActionUnit, OpenPolicy, Path, step_moment
from vla_demo.evaluation.sensitivity import IterationErrors, Numbers
from vla_demo.runtime.policy import Tensors

__all__ = ["FlowErrors", "amplification", "coherence", "flow_errors", "iteration_errors", "ratio", "rms"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlowErrors:
    """Of one chunk, in standard deviations of the action (velocities: per unit of flow time)."""

    fresh: Array  # (N, T, J) e_k
    apart: Array  # (N+1, T, J) E_k
    propagated: Array  # (N, T, J) p_k
    reference: Array  # (N, T, J) v_F on FP32's path

    @property
    def step(self) -> float:
        return -1.0 / len(self.fresh)

    @property
    def summed(self) -> Array:
        """(N, T, J) B_k for k = 1..N."""
        total: Array = np.cumsum(self.step * self.fresh, axis=0)
        return total

    def split_residual(self) -> float:
        """Largest |E_{k+1} - (E_k + h e_k + h p_k)|: 0 but for rounding, else the three do not belong together."""
        predicted = self.apart[:-1] + self.step * (self.fresh + self.propagated)
        return float(np.abs(self.apart[1:] - predicted).max())


def flow_errors(quantized: OpenPolicy, context: Tensors, reference: Path, own: Path, unit: ActionUnit) -> FlowErrors:
    """`reference` is FP32's path, `own` the quantized policy's from the same noise with `context`; N more velocities (T, A) are asked."""
    steps = reference.steps
    forced = np.stack([quantized.velocity(reference.xs[k], step_moment(k, steps), context) for k in range(steps)])
    return FlowErrors(
        fresh=unit.of_difference(_wide(forced) - reference.velocities),
        apart=unit.of_difference(_wide(own.xs) - reference.xs),
        propagated=unit.of_difference(_wide(own.velocities) - forced),
        reference=unit.of_difference(reference.velocities),
    )


def iteration_errors(chunks: Sequence[FlowErrors]) -> IterationErrors:
    """Over at least one chunk, all of the same N."""
    fresh, reference = np.stack([c.fresh for c in chunks]), np.stack([c.reference for c in chunks])
    error, signal = _energy(fresh, fresh), _energy(reference, reference)
    across = _energy(fresh, reference)
    answered = signal + 2 * across + error  # |v_Q|^2
    return IterationErrors(
        teacher_forced=_means([c.fresh for c in chunks]),
        free_running=_means([c.apart for c in chunks]),
        propagated=_means([c.propagated for c in chunks]),
        sqnr_db=tuple(None if e == 0 or s == 0 else float(10 * np.log10(s / e)) for s, e in zip(signal, error, strict=True)),
        cosine=tuple(ratio(s + a, float(np.sqrt(s * q))) for s, a, q in zip(signal, across, answered, strict=True)),
        kappa=tuple(ratio(a, s) for a, s in zip(across, signal, strict=True)),
    )


def amplification(chunks: Sequence[FlowErrors]) -> Numbers:
    """(N,) A_k after step k = 1..N; A_1 is 1, because nothing can have fed back yet. None where nothing erred."""
    apart, summed = _means([c.apart[1:] for c in chunks]), _means([c.summed for c in chunks])
    return tuple(ratio(e, b) for e, b in zip(apart, summed, strict=True))


def coherence(chunks: Sequence[FlowErrors]) -> Numbers:
    """(N,) C_k after step k = 1..N. None where nothing erred."""
    summed = _means([c.summed for c in chunks])
    walked = np.mean([np.cumsum(rms(c.step * c.fresh)) for c in chunks], axis=0)
    return tuple(ratio(b, float(w)) for b, w in zip(summed, walked, strict=True))


def rms(values: Array) -> Array:
    """(..., T, J) to (...,): root mean square of a chunk."""
    norms: Array = np.sqrt(np.mean(np.square(values), axis=(-2, -1)))
    return norms


def ratio(part: float, whole: float) -> float | None:
    """None instead of a division by zero: nothing over nothing is not a number worth a plot."""
    return None if whole == 0 else float(part / whole)


def _wide(values: NDArray[np.float32]) -> Array:
    """Differences of near equals are taken in double precision."""
    return values.astype(np.float64)


def _means(chunks: Sequence[Array]) -> tuple[float, ...]:
    """RMS of each step, averaged over chunks."""
    return tuple(float(value) for value in np.mean([rms(c) for c in chunks], axis=0))


def _energy(a: Array, b: Array) -> Array:
    """(chunks, N, T, J) twice to (N,): inner products summed over everything but the step."""
    products: Array = np.sum(a * b, axis=(0, 2, 3))
    return products
