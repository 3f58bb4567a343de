import pytest

from vla_demo.evaluation.statistics import fisher_exact, mcnemar_exact, wilson_interval


def test_wilson_agrees_with_published_values():
    assert wilson_interval(26, 30) == pytest.approx((0.703, 0.947), abs=1e-3)  # the article's ACT row, 26/30
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.278), abs=1e-3)


def test_more_trials_narrow_the_interval():
    narrow, wide = wilson_interval(90, 100), wilson_interval(9, 10)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 5), (0, 0)])
def test_what_is_not_a_rate_is_refused(successes, n):
    with pytest.raises(ValueError, match="is not a rate"):
        wilson_interval(successes, n)


@pytest.mark.parametrize(("first", "second", "p"), [(0, 0, 1.0), (5, 5, 1.0), (6, 0, 0.03125), (0, 5, 0.0625), (9, 1, 0.021484375)])
def test_mcnemars_exact_test_gives_the_tables_values(first: int, second: int, p: float) -> None:
    assert mcnemar_exact(first, second) == pytest.approx(p)


def test_mcnemar_refuses_what_is_no_count() -> None:
    with pytest.raises(ValueError, match="counts"):
        mcnemar_exact(-1, 3)


@pytest.mark.parametrize(("counts", "p"), [((9, 10, 6, 10), 0.3034), ((29, 30, 26, 30), 0.3533), ((3, 3, 0, 3), 0.1), ((5, 9, 5, 9), 1.0)])
def test_fishers_exact_test_gives_the_tables_values(counts: tuple[int, int, int, int], p: float) -> None:
    assert fisher_exact(*counts) == pytest.approx(p, abs=1e-4)


def test_fisher_refuses_what_are_no_rates() -> None:
    with pytest.raises(ValueError, match="not two rates"):
        fisher_exact(3, 2, 1, 2)
