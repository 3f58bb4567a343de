"""A prediction for a board nobody has at hand: the time of each stage on an i.MX95's six Cortex-A55, from what its graphs compute and read.

Two rates are fitted on the article's two FP32 rows, seconds for an operation with weights (matrix products, convolutions) and for one
between activations (attention, slower by its softmax and its memory traffic); a stage never takes less than reading its weights. Two rates
from two rows fit exactly, so the fit proves nothing: the other two published rows are the check, and the band is what is known about int8
kernels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vla_demo.core.errors import InvalidInput
from vla_demo.core.precision import Precision
from vla_demo.core.variant import StageChoice, Variant
from vla_demo.evaluation.claims.article import PRINTED

__all__ = ["FULL_SIZE", "IMX95", "UNKNOWN", "Board", "Check", "Prediction", "StageWork", "checked", "checks", "fitted", "predict"]


@dataclass(frozen=True, slots=True)
class StageWork:
    """One stage of one chunk."""

    role: str
    weight_operations: float  # once a chunk; a multiplication and an addition are two
    other_operations: float
    weight_bytes: float  # FP32, each time it runs
    step_weight_operations: float = 0.0  # what each denoising step adds
    step_other_operations: float = 0.0
    step_weight_bytes: float = 0.0


# LeRobot's defaults with three 640x480 cameras, counted by tests/quantization/graph_work.py on full-size exports; a test counts them again.
FULL_SIZE: Mapping[str, tuple[StageWork, ...]] = {
    "act": (
        StageWork("vision", 67_092_480_000, 0, 45_716_224),
        StageWork("expert", 33_128_282_112, 6_870_253_568, 90_726_400),
    ),
    "smolvla": (
        StageWork("vision", 529_992_253_440, 115_964_116_992, 389_283_840),
        StageWork("llm", 71_369_994_240, 3_345_465_600, 592_404_480),
        StageWork("expert", 789_708_800, 0, 6_553_600, 9_818_496_000, 817_152_000, 392_739_840),
    ),
}
_STEPS = 10  # LeRobot's default for SmolVLA, and so presumably the article's
_PUBLISHED_FP32 = {row.family: row.latency for row in PRINTED if not row.quantized}  # s
_PUBLISHED_OPTIMIZED = {row.family: row.latency for row in PRINTED if row.quantized}
_BYTES_A_SECOND = 10e9  # of 25.6 GB/s peak on the 19x19 EVK; an assumption, and it never binds at full size

# How many times as fast as FP32 the products with weights run: (least, likely, most). Of 8 bits the least is what CPUs without int8
# products show, the likely one what vla.simd measured for ACT on a Raspberry Pi 5 (2.4 to 2.7), the most what dot products can bring.
_SPEED = {8: (1.0, 2.5, 4.0), 4: (0.7, 1.0, 2.5), 2: (0.5, 0.8, 2.5), 16: (0.7, 1.0, 1.0), 32: (1.0, 1.0, 1.0)}
_FIT = 0.3  # share by which a row differs when one rate is fitted instead of two

UNKNOWN = (
    "It cannot know the board's clock, memory or kernels, which the article does not give; whether the article's graphs and pictures had "
    "these sizes; anything about the NPU; or what its optimization did beyond fewer bits."
)


@dataclass(frozen=True, slots=True)
class Board:
    """Fitted rates."""

    seconds_per_weight_operation: float
    seconds_per_other_operation: float
    bytes_a_second: float = _BYTES_A_SECOND


@dataclass(frozen=True, slots=True)
class Prediction:
    """Seconds of one chunk, with what they could as well be."""

    seconds: float
    low: float
    high: float
    stages: Mapping[str, float]  # role -> s
    about: str


@dataclass(frozen=True, slots=True)
class Check:
    """A published row that was not fitted."""

    family: str
    published: float  # s
    predicted: Prediction  # all stages in int8

    @property
    def inside(self) -> bool:
        return self.predicted.low <= self.published <= self.predicted.high


def fitted(rows: Sequence[tuple[float, float, float]]) -> Board:
    """From (weight operations, other operations, seconds) of two rows. Raises `InvalidInput` when no positive rates give these times."""
    if len(rows) != 2:
        raise InvalidInput(f"two rates are fitted on two rows, not {len(rows)}")
    try:
        weight, other = np.linalg.solve([row[:2] for row in rows], [row[2] for row in rows])
    except np.linalg.LinAlgError:
        weight = other = -1.0
    if weight <= 0 or other <= 0:
        raise InvalidInput("no positive rates give these times")
    return Board(float(weight), float(other))


def predict(work: Sequence[StageWork], variant: Variant, board: Board) -> Prediction:
    """One chunk of `variant`, which has the stages of `work`. The likely time, the quickest and the slowest that can be defended."""
    steps = variant.denoise_steps or 0
    times = np.array([[_stage(stage, steps, _bits(variant, stage.role), kind, board) for kind in (2, 1, 0)] for stage in work])
    quick, likely, slow = times.sum(axis=0)
    return Prediction(
        seconds=float(likely),
        low=float(quick) / (1 + _FIT),
        high=float(slow) * (1 + _FIT),
        stages={stage.role: float(row[1]) for stage, row in zip(work, times, strict=True)},
        about=f"predicted for six Cortex-A55 of an i.MX95 by a roofline fitted on the article's two FP32 rows. {UNKNOWN}",
    )


def checks() -> tuple[Check, ...]:
    """The article's optimized rows against the prediction for int8 everywhere."""
    return tuple(Check(family, seconds, _predicted(family, 8, IMX95)) for family, seconds in _PUBLISHED_OPTIMIZED.items())


def checked(family: str) -> str:
    """A sentence: how the prediction did on the family's row that was not fitted."""
    (check,) = (one for one in checks() if one.family == family)
    verdict = "the row lies within" if check.inside else "it misses that row"
    band = f"{check.predicted.low:.2g} to {check.predicted.high:.2g} s"
    return f"Checked on the article's optimized row: {check.published:g} s published, {band} predicted for int8 in every stage: {verdict}."


def _predicted(family: str, bits: int, board: Board) -> Prediction:
    name = {8: "int8", 32: "fp32"}[bits]
    steps = _STEPS if any(stage.step_weight_operations for stage in FULL_SIZE[family]) else None
    return predict(FULL_SIZE[family], Variant(tuple(StageChoice(s.role, name) for s in FULL_SIZE[family]), steps), board)


def _stage(stage: StageWork, steps: int, bits: int, kind: int, board: Board) -> float:
    weight = stage.weight_operations + steps * stage.step_weight_operations
    other = stage.other_operations + steps * stage.step_other_operations
    read = (stage.weight_bytes + steps * stage.step_weight_bytes) * min(bits, 32) / 32
    computing = weight * board.seconds_per_weight_operation / _SPEED[bits][kind] + other * board.seconds_per_other_operation
    return max(computing, read / board.bytes_a_second)


def _bits(variant: Variant, role: str) -> int:
    """Of the operands that decide the speed: W4A16 computes as W16 does, but reads fewer bytes; a mixed stage is taken for 8 bits."""
    operands = Precision.parse(variant.precision(role)).operands
    return 8 if operands == "mixed" else int(operands[1 : operands.index("A")])


def _totals(family: str) -> tuple[float, float, float]:
    work = FULL_SIZE[family]
    weight = sum(s.weight_operations + _STEPS * s.step_weight_operations for s in work)
    other = sum(s.other_operations + _STEPS * s.step_other_operations for s in work)
    return weight, other, _PUBLISHED_FP32[family]


IMX95 = fitted([_totals(family) for family in _PUBLISHED_FP32])
