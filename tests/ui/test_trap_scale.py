"""Orders, numbers and scales of the Trap tab."""

import html

import pytest

from vla_demo.ui.shared.plot_theme import hovers
from vla_demo.ui.trap.names import in_order, short
from vla_demo.ui.trap.scale import log_ticks, place, worth_showing


def test_precisions_stand_as_on_the_dial_with_recipes_last() -> None:
    assert in_order(["mixed-0123456789ab", "int4", "int8-static", "fp16", "int4", "int4-b64"]) == [
        "fp16",
        "int8-static",
        "int4",
        "int4-b64",
        "mixed-0123456789ab",
    ]


@pytest.mark.parametrize(("value", "written"), [(0, "0"), (4.1e-4, "4.1e−4"), (0.0042, "0.0042"), (0.13, "0.13"), (1.7, "1.7"), (12, "12")])
def test_an_error_is_written_with_two_digits_that_count(value: float, written: str) -> None:
    assert short(value) == written


def test_a_logarithmic_scale_has_round_ticks_and_no_place_for_next_to_nothing() -> None:
    assert log_ticks(0.002, 0.05) == [0.002, 0.005, 0.01, 0.02, 0.05]
    assert log_ticks(0.0005, 2) == [0.001, 0.01, 0.1, 1]
    assert worth_showing([0, 1e-9, 0.01, 1]) == [0.01, 1]
    assert [place(value, 0.01, 1) for value in (0, 0.01, 0.1, 1)] == [0, 0, pytest.approx(0.5), 1]


def test_a_hover_is_a_few_short_lines_without_markup() -> None:
    (label,) = hovers(["one <b>two</b> three four five six seven eight nine ten " * 4])["customdata"]
    assert "&lt;b&gt;two&lt;/b&gt;" in label
    assert all(len(html.unescape(line)) <= 44 for line in label.split("<br>"))
