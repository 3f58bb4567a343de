"""A whole study of linear fields: what is asked of the policies, and what becomes of their answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.fake_flow import STD, LinearFlow
from tests.fakes import noise, observation
from vla_demo.core.errors import QuantizationError
from vla_demo.core.package import StageGraph
from vla_demo.evaluation.conclusions import Conclusions, Question, Subject, VariantAnswer
from vla_demo.evaluation.flow import ActionUnit
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.study import Moment, ReferenceChunk, StudyPlan, reference_chunks, variant_chunks

EXACT = LinearFlow(slope=0.5)
ROLES = ("vision", "llm", "expert")


def moment(number: int) -> Moment:
    noises = [noise(EXACT.spec, seed=10 * number + i) for i in range(3)]
    recorded = np.zeros((8 if number % 2 else 5, 6), np.float32)
    return Moment(
        number // 2,
        number,
        observation(number),
        recorded,
        recorded[0],
        number - 1 if number % 2 else None,
        noises[0],
        (noises[1], noises[2]),
    )  # type: ignore[arg-type]


MOMENTS = [moment(i) for i in range(4)]
PLAN = StudyPlan(ActionUnit.of(EXACT, STD), steps=(1, 4), swept={0, 2}, timed=2)
REFERENCE = list(reference_chunks(EXACT, MOMENTS, PLAN))


def graphs(precision: str) -> list[StageGraph]:
    counts = (0, 0) if precision == "fp32" else (5, 4)
    return [StageGraph(role, role, precision, f"{role}.onnx", 100 if precision == "fp32" else 25, "ab" * 32, *counts) for role in ROLES]


FOUND = Conclusions(Subject(EXACT.spec, ActionScale.of(np.full(6, 3.0), STD, "checkpoint"), 30.0, graphs("fp32")), REFERENCE)


def answer(stage: str, policy: LinearFlow, differs: Sequence[str]) -> VariantAnswer:
    question = Question(stage, "int8", "W8A8", f"{stage}=int8", tuple(differs))
    return VariantAnswer(question, graphs("int8"), list(variant_chunks(policy, differs, EXACT, REFERENCE, PLAN)))


def biased(value: float, offset: float = 0.0) -> LinearFlow:
    return replace(EXACT, bias=lambda moment: value, offset=offset)


VISION = answer("vision", biased(0.0, offset=0.3), ["vision"])
EXPERT = answer("expert", biased(0.2), ["expert"])
ALL = answer("all", biased(0.2, offset=0.3), ROLES)
ANSWERS = [VISION, EXPERT, ALL]


def euler(steps: int) -> float:
    """How far a bias of 1 moves the actions."""
    factor = 1 - 0.5 / steps
    return sum(factor**k for k in range(steps)) / steps


def test_a_row_has_the_error_the_bytes_and_the_times() -> None:
    row = FOUND.row(EXPERT)
    assert row.error is not None and row.error.mean == pytest.approx(0.2 * euler(4), rel=1e-4)
    assert (row.bytes, row.fp32_bytes, row.quantized_nodes, row.nodes) == (25, 100, 4, 5)
    assert (row.ms, row.fp32_ms) == (4.0, 4.0)  # four denoising steps of a millisecond each
    assert row.n_observations == 4 and row.problem is None


def test_a_row_of_all_stages_counts_all_of_them() -> None:
    row = FOUND.row(ALL)
    assert (row.bytes, row.fp32_bytes, len(row.sha256)) == (75, 300, 3)
    assert row.ms == row.fp32_ms == 6.0


def test_a_row_that_cannot_be_says_why_and_nothing_else() -> None:
    row = FOUND.row(VariantAnswer(EXPERT.question, (), (), "no product with weights"))
    assert row.problem == "no product with weights" and row.error is None and row.verdict is None


def test_only_the_first_chunks_are_timed_and_in_turns() -> None:
    assert [bool(c.reference_ms) for c in EXPERT.chunks] == [True, True, False, False]


def test_iterations_are_asked_of_experts_alone() -> None:
    assert [c.flow is not None for a in ANSWERS for c in a.chunks] == [False] * 4 + [True] * 4 + [False] * 4
    assert FOUND.iterations(ANSWERS)["int8"].teacher_forced == pytest.approx([0.2] * 4, rel=1e-4)
    assert all(chunk.flow.split_residual() < 1e-6 for chunk in EXPERT.chunks if chunk.flow is not None)
    assert FOUND.amplification(ANSWERS)["int8"][-1] == pytest.approx(euler(4), rel=1e-4)
    assert FOUND.coherence(ANSWERS)["int8"] == pytest.approx([1.0] * 4, rel=1e-4)


def test_the_two_by_two_takes_the_errors_apart() -> None:
    (square,) = FOUND.two_by_two(ANSWERS)
    assert square.prefix.mean == pytest.approx(0.3 * euler(4), rel=1e-4)
    assert square.expert.mean == pytest.approx(0.2 * euler(4), rel=1e-4)
    assert square.ratio == pytest.approx(1, rel=1e-4) and square.residual == pytest.approx(0, abs=1e-4)
    assert FOUND.two_by_two([VISION, ALL]) == ()  # without the expert alone there is no square


def test_the_sweep_keeps_the_solvers_error_apart_from_quantization() -> None:
    rows = FOUND.steps(ANSWERS)
    assert [(row.steps, row.n_observations) for row in rows] == [(1, 2), (4, 2)]
    assert [row.quantization["int8"].mean for row in rows] == pytest.approx([0.5 * euler(1), 0.5 * euler(4)], rel=1e-4)
    assert rows[0].solver.mean > 3 * rows[1].solver.mean
    assert FOUND.seed_spread is not None
    assert rows[0].in_seed_spreads["solver"] == pytest.approx(rows[0].solver.mean / FOUND.seed_spread.mean)


def test_the_spread_from_seed_to_seed_is_that_of_the_noise() -> None:
    """Two independent standard normal chunks are sqrt(2) apart before the field shrinks them."""
    assert FOUND.seed_spread is not None
    assert FOUND.seed_spread.mean == pytest.approx(np.sqrt(2) * (1 - 0.5 / 4) ** 4, rel=0.15)


def test_positions_and_smoothness_are_of_all_stages_together() -> None:
    assert FOUND.by_position(ANSWERS)["int8"] == pytest.approx([0.5 * euler(4)] * 8, rel=1e-4)
    assert set(FOUND.by_position(ANSWERS)) == {"fp32", "int8"}
    found = FOUND.smoothness(ANSWERS)
    assert set(found) == {"recorded", "fp32", "int8"}
    assert found["int8"].jerk == pytest.approx(found["fp32"].jerk, rel=1e-4)  # a shift is smooth
    assert found["fp32"].boundary_jump is not None and found["recorded"].boundary_jump is None  # the recording stands still


def test_a_variant_that_is_the_reference_has_no_error() -> None:
    row = FOUND.row(answer("expert", EXACT, ["expert"]))
    assert row.error is not None and row.error.mean == 0 and row.verdict == "not distinguishable"
    assert set(FOUND.iterations([answer("expert", EXACT, ["expert"])])["int8"].sqnr_db) == {None}


def test_numbers_that_are_not_finite_end_the_variant_with_a_sentence() -> None:
    with pytest.raises(QuantizationError, match="not finite"):
        answer("expert", biased(float("nan")), ["expert"])


def test_a_study_can_be_left_between_two_chunks() -> None:
    policy = replace(EXACT)
    chunks = reference_chunks(policy, MOMENTS, replace(PLAN, steps=()))
    next(chunks)
    asked = policy.chunks
    chunks.close()
    assert policy.chunks == asked


def test_only_what_the_last_stage_reads_is_kept() -> None:
    assert set(REFERENCE[0].prefix) == {"keys"}


def test_the_reference_facts_are_the_medians_of_its_own_chunks() -> None:
    facts = FOUND.reference_facts()
    assert {role: (cost.bytes, cost.ms) for role, cost in facts.stages.items()} == {"vision": (100, 1), "llm": (100, 1), "expert": (100, 4)}


def test_a_reference_is_what_it_says() -> None:
    assert all(isinstance(chunk, ReferenceChunk) and chunk.path is not None and chunk.path.steps == 4 for chunk in REFERENCE)
    assert [set(chunk.swept) for chunk in REFERENCE] == [{1, 4, 100}, set(), {1, 4, 100}, set()]
