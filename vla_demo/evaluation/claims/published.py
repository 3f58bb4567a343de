"""What others have published about quantizing policies stage by stage, with sources, held against a checkpoint's own trap report.

Data; how a claim is held against a report is in `agreement`. Where a source prints no such number, the text says who computed it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vla_demo.evaluation.claims import agreement
from vla_demo.evaluation.claims.agreement import Agreement
from vla_demo.evaluation.claims.article import ARTICLE, ARTICLE_LINK
from vla_demo.evaluation.sensitivity import SensitivityReport

__all__ = ["CLAIMS", "Claim", "compare"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something published, and how to hold it against a report."""

    figure: str  # the figure it belongs beside
    says: str  # one or two sentences, with the published numbers
    source: str
    link: str
    check: Callable[[SensitivityReport], Agreement]


def compare(report: SensitivityReport, figure: str | None = None) -> Iterator[tuple[Claim, Agreement]]:
    """Every claim (about one figure, or all) with what this report says to it."""
    for claim in CLAIMS:
        if figure in (None, claim.figure):
            yield claim, claim.check(report)


_BENCH = "VLAQuantBench, arXiv 2609.25376 (preprint)"
_BENCH_LINK = "https://arxiv.org/abs/2609.25376"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "heatmap",
        "Quantizing the vision encoder and the language prefill (8-bit mixed down to 4-bit) had limited impact; quantizing the action "
        "expert significantly degrades. Stated without numbers per stage.",
        ARTICLE,
        ARTICLE_LINK,
        agreement.expert_is_fragile,
    ),
    Claim(
        "heatmap",
        "INT8 for vision and denoising, but the prefix stays in FP32 “to preserve accuracy” (cosine 0.99938, two times faster).",
        "Arm learning path: SmolVLA with ExecuTorch",
        "https://github.com/ArmDeveloperEcosystem/arm-learning-paths",
        agreement.prefix_needs_fp32,
    ),
    Claim(
        "heatmap",
        "No stage is the sensitive one everywhere: 409 runs find another weakest stage for each model and for weights and activations.",
        _BENCH,
        _BENCH_LINK,
        agreement.no_universal_stage,
    ),
    Claim(
        "heatmap",
        "Plain W8A8 on SmolVLA's expert: cosine 0.665. With outliers smoothed into the weights and a rotation: 0.9996.",
        "FoldQuantVLA, arXiv 2609.24433 (preprint)",
        "https://arxiv.org/abs/2609.24433",
        agreement.smoothing_repairs,
    ),
    Claim(
        "speed",
        "On an RTX 4090 real low-bit kernels ran slower than BF16: less memory does not imply lower latency.",
        _BENCH,
        _BENCH_LINK,
        agreement.smaller_is_not_faster,
    ),
    Claim(
        "iterations",
        "“Quantization errors are accumulating across iterative denoising steps.” Stated without a curve.",
        ARTICLE,
        ARTICLE_LINK,
        agreement.errors_accumulate,
    ),
    Claim(
        "steps",
        "Error against the demonstration rose 31 % from 1 to 10 steps on π0.5, while success was higher at 10: fewer steps "
        "regress to the mean of the demonstrations.",
        "SnapFlow, arXiv 2604.05656 (preprint)",
        "https://arxiv.org/abs/2604.05656",
        agreement.demonstration_likes_fewer_steps,
    ),
    Claim(
        "two_by_two",
        "Stages do not add up: on π0.5, adding the errors of the parts misses the error of all by 20 % in W4A8 and 82 % in W4A4 "
        "(computed from its replay data).",
        _BENCH,
        _BENCH_LINK,
        agreement.stages_do_not_add,
    ),
    Claim(
        "layers",
        "With 8-bit activations, late vision and early language MLPs are 40 to 70 times more sensitive than the expert's "
        "(SmolVLA, 80 observations).",
        "smolvla-rk3588 study, 2026",
        "https://github.com/Miayyys/smolvla-rk3588",
        agreement.late_vision_early_language,
    ),
)
