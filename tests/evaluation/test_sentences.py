"""Numbers and lists as people read them."""

from vla_demo.evaluation.claims.sentences import grouped, listed, number, span, times


def test_two_digits_matter() -> None:
    assert [number(value) for value in (0.00123456, 0.0456, 0.123, 4.5678)] == ["0.0012", "0.046", "0.12", "4.57"]


def test_lists_end_with_and() -> None:
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_a_span_of_one_value_is_that_value() -> None:
    assert (span([0.12, 0.119], ".2f"), span([0.3, 0.1], ".1f")) == ("0.12", "0.1 to 0.3")


def test_names_are_grouped_by_what_is_said_of_them() -> None:
    assert grouped({"a": 1.0, "b": -1.0, "c": 2.0}, lambda v: "up" if v > 0 else "down") == {"up": ["a", "c"], "down": ["b"]}


def test_nothing_is_divided_by_zero() -> None:
    assert (times(3.0, 2.0), times(33.3, 2.0), times(1.0, 0.0)) == ("1.5 times", "17 times", "more than")
