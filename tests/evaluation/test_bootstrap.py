"""Intervals know that measurements of one episode belong together."""

import numpy as np
import pytest

from vla_demo.evaluation.bootstrap import Interval, clustered_interval


def test_the_mean_lies_in_its_interval_and_the_same_seed_gives_the_same() -> None:
    values = np.random.default_rng(0).standard_normal(60)
    clusters = [i // 3 for i in range(60)]
    found = clustered_interval(values, clusters)
    assert found.low < found.mean < found.high
    assert found.mean == pytest.approx(values.mean())
    assert found == clustered_interval(values, clusters)


def test_it_is_as_wide_as_the_textbook_says_for_independent_values() -> None:
    values = np.random.default_rng(1).standard_normal(400)
    found = clustered_interval(values, range(400))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 / 20, rel=0.1)


def test_repeating_every_measurement_makes_it_no_surer() -> None:
    values, clusters = np.random.default_rng(2).standard_normal(30), list(range(30))
    once, often = clustered_interval(values, clusters), clustered_interval(np.repeat(values, 10), np.repeat(clusters, 10).tolist())
    naive = clustered_interval(np.repeat(values, 10), range(300))
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)
    assert naive.high - naive.low < 0.5 * (once.high - once.low)  # what not clustering would claim


def test_clusters_of_unequal_size_weigh_by_their_measurements() -> None:
    assert clustered_interval([1.0, 1.0, 1.0, 5.0], [0, 0, 0, 1]).mean == 2.0


def test_of_one_cluster_only_the_mean_is_known() -> None:
    assert clustered_interval([1.0, 3.0], [7, 7]) == Interval(2.0, 2.0, 2.0)


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([1.0], [1, 2])])
def test_no_values_have_no_interval(values: list[float], clusters: list[int]) -> None:
    with pytest.raises(ValueError, match="interval"):
        clustered_interval(values, clusters)


def test_intervals_overlap_when_they_share_a_value() -> None:
    assert Interval(1, 0, 2).overlaps(Interval(3, 2, 4)) and Interval(3, 2, 4).overlaps(Interval(1, 0, 2))
    assert not Interval(1, 0, 2).overlaps(Interval(4, 3, 5))
