"""Strict JSON: what was written is read; anything else is refused by place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_demo.runtime.strict_json import StrictJsonError, from_json, parse_json, to_json


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outer:
    inner: tuple[Inner, ...]
    by_name: Mapping[str, tuple[int, int] | None]
    flag: bool
    anything: Mapping[str, Any]


inner = st.builds(Inner, st.text(), st.tuples(st.floats(allow_nan=False, allow_infinity=False)))
pairs = st.none() | st.tuples(st.integers(), st.integers())
outer = st.builds(
    Outer, st.lists(inner, max_size=3).map(tuple), st.dictionaries(st.text(), pairs), st.booleans(), st.just({"a": [1, {"b": None}]})
)


@given(outer)
def test_what_is_written_is_read_back_equal(value: Outer) -> None:
    assert from_json(Outer, to_json(value), "") == value


GOOD: dict[str, Any] = {"inner": [{"name": "a", "numbers": [1, 2.5]}], "by_name": {"x": [1, 2]}, "flag": True, "anything": {}}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"flag": 1}, "flag is 1 instead of bool"),
        ({"flag": None}, "flag is None"),
        ({"inner": {}}, "inner is not a list"),
        ({"inner": [{"name": "a"}]}, r"inner\[0\] lacks numbers"),
        ({"inner": [{"name": "a", "numbers": [], "extra": 1}]}, r"inner\[0\] has the unknown field extra"),
        ({"inner": [{"name": "a", "numbers": ["1"]}]}, r"inner\[0\].numbers\[0\] is '1' instead of float"),
        ({"by_name": {"x": [1]}}, r"by_name.x has 1 entries instead of 2"),
        ({"by_name": {"x": [True, 2]}}, r"by_name.x\[0\] is True instead of int"),
        ({"anything": []}, "anything is not an object"),
    ],
)
def test_a_wrong_field_is_refused_by_its_place(change: dict[str, Any], place: str) -> None:
    assert from_json(Outer, GOOD, "").flag
    with pytest.raises(StrictJsonError, match=place):
        from_json(Outer, GOOD | change, "")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000])
def test_what_json_loads_would_let_pass_is_refused(text: str) -> None:
    with pytest.raises(StrictJsonError):
        parse_json(text)
