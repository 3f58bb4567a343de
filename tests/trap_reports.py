"""A small trap report of invented numbers, for whoever shows or reads one."""

from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import (
    REPORT_VERSION,
    Bootstrap,
    Computed,
    IterationErrors,
    ReferenceFacts,
    SensitivityReport,
    SensitivityRow,
    Smoothness,
    StageCost,
    StepRow,
    TwoByTwo,
)

SMOOTH = Smoothness(10.0, 1.5, None)


def around(value: float) -> Interval:
    return Interval(value, round(0.9 * value, 6), round(1.1 * value, 6))


def row(stage: str, precision: str, error: float, ms: float = 10.0) -> SensitivityRow:
    """FP32 takes 20 ms and 100 bytes."""
    return SensitivityRow(
        stage=stage,
        precision=precision,
        operands="W8A8",
        variant=f"{stage}={precision}",
        n_observations=6,
        error=around(error),
        max_abs=4 * error,
        p95=2 * error,
        min_cosine=0.99,
        vs_recorded=around(0.5),
        verdict="not distinguishable",
        bytes=25,
        fp32_bytes=100,
        ms=ms,
        fp32_ms=20.0,
        quantized_nodes=5,
        nodes=5,
        quantized_weight_bytes=90,
        weight_bytes=90,
        sha256=("ab" * 32,),
        smoothness=SMOOTH,
    )


def report() -> SensitivityReport:
    """A denoising policy of two steps in int8, whose llm refused."""
    refused = SensitivityRow("llm", "int8", "W8A8", "llm=int8", 0, problem="no product with weights")
    return SensitivityReport(
        version=REPORT_VERSION,
        policy="smolvla",
        family="smolvla",
        checkpoint="smolvla",
        revision="5a",
        denoise_steps=2,
        chunk_size=4,
        fps=30.0,
        computed=Computed("2026-11-22T12:00:00+00:00", "a machine", 12.5, None),
        dataset="recordings",
        episodes=(0, 1),
        n_episodes=2,
        n_observations=6,
        unit="standard deviations",
        bootstrap=Bootstrap(),
        seed=0,
        fp32=ReferenceFacts(around(0.5), around(0.25), {"vision": StageCost(100, 20.0), "expert": StageCost(100, 20.0)}, SMOOTH),
        sensitivity=(row("vision", "int8", 0.01), refused, row("expert", "int8", 0.03, ms=30.0), row("all", "int8", 0.04)),
        per_iteration={"int8": IterationErrors((0.1, 0.1), (0.0, 0.05, 0.03), (0.0, 0.02), (20.0, None), (0.99, None), (0.01, None))},
        amplification={"int8": (1.0, 0.5)},
        coherence={"int8": (1.0, 0.9)},
        two_by_two=(TwoByTwo("int8", around(0.01), around(0.03), around(0.04), 1.0, 0.1, 0.99),),
        steps=(
            StepRow(1, around(0.2), {"int8": around(0.05)}, around(0.45), {"solver": 0.8, "int8": 0.2}, 10.0, 2),
            StepRow(2, around(0.02), {"int8": around(0.04)}, around(0.5), {"solver": 0.08, "int8": 0.16}, 20.0, 2),
        ),
        by_position={"fp32": (0.1, 0.2, 0.3, 0.4), "int8": (0.01, 0.02, 0.03, 0.04)},
        layers=(),
        smoothness={"recorded": SMOOTH, "fp32": SMOOTH, "int8": Smoothness(12.0, 1.5, None)},
        findings=(),
    )
