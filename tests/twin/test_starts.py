import math

import pytest

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.starts import CLUSTERS, HELD_OUT, Start, cluster_at, fresh_start, prepare, split_starts
from vla_demo.twin.world import TeaBagTwin


def first(split):
    return [candidates[0] for candidates in split_starts(split)]


def test_the_splits_have_the_protocols_sizes():
    train = first("train")
    assert (len(train), len(first("test")), len(first("validation"))) == (120, 20, 10)
    assert sum(s.failure is not None for s in train) == 20
    assert all(sum(s.cluster == c for s in train) == 12 for c in CLUSTERS if c != HELD_OUT)


def test_no_training_or_test_position_lies_in_the_held_out_cell():
    for start in first("train") + first("test"):
        assert cluster_at(*start.bag_xy) == start.cluster != HELD_OUT
    assert {cluster_at(*s.bag_xy) for s in first("validation")} == {HELD_OUT}


def test_positions_stay_within_their_ten_centimetre_cell():
    for start in first("train") + first("test") + first("validation"):
        x, y = CLUSTERS[start.cluster]
        assert max(abs(start.bag_xy[0] - x), abs(start.bag_xy[1] - y)) <= 0.05
        assert math.dist(start.bag_xy, start.mug_xy) > 0.078


def test_seeds_fix_starts_and_no_two_are_alike():
    assert first("train") == first("train") and fresh_start(5) == fresh_start(5)
    every = first("train") + first("test") + first("validation") + [fresh_start(k) for k in range(50)]
    assert len({s.bag_xy for s in every}) == len({s.number for s in every}) == 200


def test_an_unknown_split_is_named():
    with pytest.raises(InvalidInput, match="train, extra, validation, test"):
        list(split_starts("trian"))


def test_a_failure_that_does_not_exist_is_refused():
    nominal = fresh_start(1)
    unknown = Start(*(getattr(nominal, f) for f in nominal.__slots__[:6]), failure="exploded", seed=(1, 2, 3))
    with pytest.raises(InvalidInput, match="missed"):
        prepare(TeaBagTwin(), unknown)
