"""Whether errors add up: chunks with a quantized prefix, with a quantized expert, and with both, beside FP32's.

With d the difference from FP32's chunk, same observation and same noise: ratio = |d_both| / (|d_prefix| + |d_expert|), which is 1 when
errors add in the same direction, under 1 when they cancel or saturate, over 1 when together they are worse than the sum;
residual = |d_both - (d_prefix + d_expert)| / |d_both|; cosine of d_both with d_prefix + d_expert. After the additivity study of
VLAQuantBench (arXiv 2609.25376), which measured 0.8 for W4A8 and 2.9 for W4A4 of pi0.5. Norms are averaged over chunks.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from vla_demo.evaluation.anatomy import ratio, rms
from vla_demo.evaluation.bootstrap import clustered_interval
from vla_demo.evaluation.sensitivity import TwoByTwo

__all__ = ["two_by_two"]

Differences = NDArray[np.float64]  # (n, T, J) standard deviations


def two_by_two(precision: str, prefix: Differences, expert: Differences, both: Differences, clusters: Sequence[Hashable]) -> TwoByTwo:
    """Each (n, T, J) is the difference from FP32, in the same order; `clusters` names the episode of each of the n."""
    together = prefix + expert
    sizes = {name: rms(d) for name, d in (("prefix", prefix), ("expert", expert), ("both", both))}
    means = {name: float(size.mean()) for name, size in sizes.items()}
    lengths = float(np.linalg.norm(both) * np.linalg.norm(together))
    return TwoByTwo(
        precision=precision,
        **{name: clustered_interval(size, clusters) for name, size in sizes.items()},
        ratio=ratio(means["both"], means["prefix"] + means["expert"]),
        residual=ratio(float(rms(both - together).mean()), means["both"]),
        cosine=ratio(float(np.sum(both * together)), lengths),
    )
