"""The article's table: every count, factor and slip recomputed from what is printed."""

from dataclasses import replace

import pytest

from vla_demo.evaluation.claims.article import PRINTED, notes

ACT, ACT_OPTIMIZED, SMOLVLA, SMOLVLA_OPTIMIZED = PRINTED


def test_the_counts_behind_the_printed_shares() -> None:
    assert [row.counts for row in PRINTED] == [(20, 9), (20, 6), (10, 4), None]
    assert [row.successes for row in PRINTED] == [29, 26, 14, None]
    for row in PRINTED[:3]:
        assert row.counts and (row.test, row.validation) == (f"{row.counts[0] / 20:.2f}", f"{row.counts[1] / 10:.2f}")


def test_its_slips_are_marked_with_the_correction_and_what_is_right_is_not() -> None:
    assert ACT_OPTIMIZED.slip == "printed 0.89, but 26/30 = 0.867"
    assert ACT.slip == "printed 0.96: 29/30 = 0.967, cut off instead of rounded"
    assert SMOLVLA.slip is None and SMOLVLA_OPTIMIZED.slip is None
    assert replace(ACT_OPTIMIZED, overall="0.87").slip is None


def test_the_intervals_are_wilson_s() -> None:
    assert ACT.interval == pytest.approx((0.83, 0.99), abs=0.005)
    assert ACT_OPTIMIZED.interval == pytest.approx((0.70, 0.95), abs=0.005)
    assert SMOLVLA.interval == pytest.approx((0.30, 0.64), abs=0.005)


def test_the_notes_give_the_true_factors_and_claim_no_difference_that_is_not_there() -> None:
    factors, formats, policies, _ = notes()
    assert "8.94×" in factors and "4.73×" in factors
    assert "29/30 against 26/30" in formats and "p = 0.35" in formats and "does not tell" in formats
    assert "29/30 against 14/30" in policies and "p < 0.0001" in policies
