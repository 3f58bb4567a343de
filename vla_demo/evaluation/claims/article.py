"""The results table of NXP and Hugging Face's article, 5 March 2026, as printed, with its counts recomputed and its slips marked.

"Bringing Robotics AI to Embedded Platforms: Dataset Recording, VLA Fine-Tuning, and On-Device Optimizations", section on results: 20 test
starts in the ten training clusters, 10 validation starts in the held-out one; latencies on the CPU of an i.MX95. The article prints shares,
no counts; SmolVLA's optimized latency stands in its text, without any success.
"""

from dataclasses import dataclass

from vla_demo.core.labels import family_label
from vla_demo.evaluation.statistics import fisher_exact, wilson_interval

__all__ = ["ARTICLE", "ARTICLE_LINK", "PRINTED", "PrintedRow", "notes"]

ARTICLE = "NXP and Hugging Face, 5 March 2026: Bringing Robotics AI to Embedded Platforms"
ARTICLE_LINK = "https://huggingface.co/blog/nxp/bringing-robotics-ai-to-embedded-platforms"
TEST, VALIDATION = 20, 10  # starts


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One row as it stands there; None where it prints nothing."""

    family: str
    quantized: bool  # the article's "Optimized", whose precisions it does not give
    latency: float  # s, from observation to chunk
    test: str | None  # share of 20
    validation: str | None  # share of 10
    overall: str | None  # share of 30, the column "Global"

    @property
    def policy(self) -> str:
        return family_label(self.family)

    @property
    def format(self) -> str:
        return "Optimized" if self.quantized else "ONNX FP32"

    @property
    def counts(self) -> tuple[int, int] | None:
        """Successes of the test and of the validation starts: the only whole numbers that the shares can mean."""
        if self.test is None or self.validation is None:
            return None
        return round(float(self.test) * TEST), round(float(self.validation) * VALIDATION)

    @property
    def successes(self) -> int | None:
        return None if self.counts is None else sum(self.counts)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the successes."""
        return None if self.successes is None else wilson_interval(self.successes, TEST + VALIDATION)

    @property
    def slip(self) -> str | None:
        """What is wrong with the printed share of all starts; None when it is what the counts give."""
        if self.successes is None or self.overall is None:
            return None
        share = self.successes / (TEST + VALIDATION)
        counted = f"{self.successes}/{TEST + VALIDATION} = {share:.3f}"
        if self.overall == f"{share:.2f}":
            return None
        if self.overall == f"{int(share * 100) / 100:.2f}":
            return f"printed {self.overall}: {counted}, cut off instead of rounded"
        return f"printed {self.overall}, but {counted}"


PRINTED = (
    PrintedRow("act", False, 2.86, "1.00", "0.90", "0.96"),
    PrintedRow("act", True, 0.32, "1.00", "0.60", "0.89"),
    PrintedRow("smolvla", False, 29.1, "0.50", "0.40", "0.47"),
    PrintedRow("smolvla", True, 6.15, None, None, None),
)


def notes() -> list[str]:
    """What the printed numbers carry and what they do not, recomputed."""
    exact, optimized, smolvla, smolvla_optimized = PRINTED
    return [
        f"Faster by {exact.latency / optimized.latency:.2f}× (ACT, {exact.latency:g} s to {optimized.latency:g} s) and "
        f"{smolvla.latency / smolvla_optimized.latency:.2f}× (SmolVLA, {smolvla.latency:g} s to {smolvla_optimized.latency:g} s).",
        f"{_compare_counts(exact, optimized)}, so the table does not tell ACT's two formats apart.",
        f"{_compare_counts(exact, smolvla)}, so ACT solves more than SmolVLA.",
        "Cluster 6 was held out of training, but the article also suggests choosing checkpoints by it: not an untouched test.",
    ]


def _compare_counts(first: PrintedRow, second: PrintedRow) -> str:
    n = TEST + VALIDATION
    assert first.successes is not None and second.successes is not None
    p = fisher_exact(first.successes, n, second.successes, n)
    chance = f"p = {p:.2f}" if p >= 0.01 else "p < 0.01" if p >= 1e-4 else "p < 0.0001"
    return f"{first.successes}/{n} against {second.successes}/{n}: Fisher's exact test gives {chance}"
