"""Numbers as people read them, and that nobody formats them a second time."""

import re
from pathlib import Path

import pytest

from vla_demo.core import formats

PACKAGE = Path(formats.__file__).parents[1]
HOME_MADE = re.compile(r"/ 1e6:|1e3:\.\df\} ?(ms|s)|\.\d%\}|replace\(\"%\"|== 1 else ['\"]?s\b|'s' if ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.milliseconds(4.24), "4.2 ms"),
        (formats.milliseconds(89.2), "89 ms"),
        (formats.milliseconds(1240), "1.24 s"),
        (formats.latency(0.32), "320 ms"),
        (formats.latency(29.1), "29.1 s"),
        (formats.latency(2.86), "2.86 s"),
        (formats.seconds(7.533), "7.5 s"),
        (formats.duration(85), "85 s"),
        (formats.duration(720), "12 min"),
        (formats.moment("2026-11-22T20:30:00+01:00"), "22 November 2026, 19:30 UTC"),
        (formats.moment("2026-11-02T19:30:00"), "2 November 2026, 19:30 UTC"),
        (formats.megabytes(15_520_000), "15.5 MB"),
        (formats.percent(0.4524), "45 %"),
        (formats.interval(0.7867, 0.9815), "0.79 to 0.98"),
        (formats.count(1, "episode"), "1 episode"),
        (formats.count(0, "episode"), "0 episodes"),
        (formats.with_unit(4.2, "°"), "4.20°"),
        (formats.with_unit(12, "%", 0), "12 %"),
        (formats.optional(None, "{:.1f} s"), "–"),
        (formats.optional(7.53, "{:.1f} s"), "7.5 s"),
    ],
)
def test_a_number_is_written_in_one_way(text: str, expected: str) -> None:
    assert text == expected


def test_nobody_else_formats_milliseconds_megabytes_percent_or_counts() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path.name != "formats.py"]
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sources
        for line in path.read_text("utf-8").splitlines()
        if HOME_MADE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ['f"{size / 1e6:.1f} MB"', 'f"{s * 1e3:.0f} ms"', 'f"{share:.0%}"', "f\"{n} step{'' if n == 1 else 's'}\""]
)
def test_the_rule_sees_a_number_that_is_formatted_by_hand(line: str) -> None:
    assert HOME_MADE.search(line)
