"""The prediction for the i.MX95: what it was fitted on, what it was not, and what it refuses."""

import pytest

from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import StageChoice, Variant
from vla_demo.evaluation.roofline import FULL_SIZE, IMX95, UNKNOWN, checked, checks, fitted, predict

ROLES = {family: [stage.role for stage in work] for family, work in FULL_SIZE.items()}


def variant(family: str, precision: str, steps: int | None = None) -> Variant:
    return Variant(tuple(StageChoice(role, precision) for role in ROLES[family]), steps)


@pytest.mark.parametrize(("family", "steps", "published"), [("act", None, 2.86), ("smolvla", 10, 29.1)])
def test_the_rows_it_was_fitted_on_come_out_and_lie_inside_a_band(family: str, steps: int | None, published: float) -> None:
    predicted = predict(FULL_SIZE[family], variant(family, "fp32", steps), IMX95)
    assert predicted.seconds == pytest.approx(published, rel=1e-6) and predicted.low < published < predicted.high
    assert UNKNOWN in predicted.about


def test_the_rates_are_such_as_six_a55_can_have() -> None:
    peak = 6 * 2.0e9 * 8  # cores, Hz, FP32 operations a cycle
    assert 0.2 * peak < 1 / IMX95.seconds_per_weight_operation < 0.8 * peak
    assert IMX95.seconds_per_other_operation > IMX95.seconds_per_weight_operation


def test_neither_optimized_row_is_explained_by_8_bits_alone() -> None:
    rows = {check.family: check for check in checks()}
    assert not rows["act"].inside and rows["act"].published < rows["act"].predicted.low
    assert not rows["smolvla"].inside and rows["smolvla"].published < rows["smolvla"].predicted.low
    assert checked("act").endswith("0.32 s published, 1 to 3.7 s predicted for int8 in every stage: it misses that row.")


def test_fewer_steps_and_fewer_bits_take_less_time() -> None:
    full = predict(FULL_SIZE["smolvla"], variant("smolvla", "fp32", 10), IMX95)
    fewer_steps = predict(FULL_SIZE["smolvla"], variant("smolvla", "fp32", 2), IMX95)
    int8 = predict(FULL_SIZE["smolvla"], variant("smolvla", "int8", 10), IMX95)
    assert fewer_steps.stages["expert"] < full.stages["expert"] and fewer_steps.stages["vision"] == full.stages["vision"]
    assert int8.seconds < full.seconds and int8.high <= full.high + 1e-9


def test_rows_that_no_positive_rates_explain_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no positive rates"):
        fitted([(1e9, 1e9, 1.0), (2e9, 1e9, 0.5)])
    with pytest.raises(InvalidInput, match="two rows"):
        fitted([(1e9, 1e9, 1.0)])
