"""The starts a closed loop is measured on are those of the recorded episodes."""

import json

import pytest

from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.twin.protocol import fresh_training_starts, protocol_starts, starts_named
from vla_demo.twin.starts import HELD_OUT


@pytest.mark.parametrize(("split", "count"), [("test", 20), ("validation", 10)])
def test_the_protocols_starts_are_those_that_were_recorded(split: str, count: int) -> None:
    recorded = [
        e["seed"] for e in json.loads((require_demo().episodes / "meta" / "teabag.json").read_text())["episodes"] if e["split"] == split
    ]
    assert [start.number for start in protocol_starts(split)] == recorded and len(recorded) == count


def test_fresh_starts_are_all_different_and_never_in_the_held_out_cluster() -> None:
    starts = fresh_training_starts(40)
    assert len({start.bag_xy for start in starts}) == 40 and HELD_OUT not in {start.cluster for start in starts}


def test_starts_by_name() -> None:
    assert len(starts_named("all")) == 30 and len(starts_named("7-fresh")) == 7


@pytest.mark.parametrize("name", ["train", "0-fresh", "fresh", "9999-fresh"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(InvalidInput, match="test, validation, all"):
        starts_named(name)
