"""The closed-loop rows that come with the app: the protocol's 30 starts under chosen variants, modes and latencies, measured once at home.

`recipes/teabag/closed_loop.py` makes the file. Each row is what `vla-demo rollout --json` prints, with its policy and the revision of its
checkpoint.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vla_demo.core.demo import find_demo
from vla_demo.core.formats import interval, percent
from vla_demo.core.labels import LATENCY_KINDS, family_label

__all__ = ["markdown_table", "measured_rollouts"]


def measured_rollouts() -> list[dict[str, Any]]:
    """In the order they were asked for; none without the demo."""
    demo = find_demo()
    found: list[dict[str, Any]] = [] if demo is None else json.loads(demo.rollouts.read_text(encoding="utf-8"))["rows"]
    return found


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line a row: counts with Wilson's 95 % interval, and how much of the time the arm had no action."""
    titles = ("policy", "variant", "mode", "latency", "success (95 % interval)", "test, validation", "idle", "time to success")
    return "\n".join(["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", *(_line(row) for row in rows)])


def _line(row: Mapping[str, Any]) -> str:
    low, high = row["wilson95"]
    seconds = row["time_to_success_s"]
    cells = (
        family_label(row["policy"]),
        _variant(row["variant"]),
        row["mode"],
        _latency(row),
        f"{row['successes']}/{row['n']} ({interval(low, high)})",
        "{}, {}".format(*_by_split(row["starts"])),
        percent(row["idle_share"]),
        "-" if seconds is None else f"{seconds:.1f} s",
    )
    return "| " + " | ".join(cells) + " |"


def _variant(text: str) -> str:
    """Such as "FP32", "int8" where every stage has it, or the stages by name."""
    stages = dict(part.split("=") for part in text.split(","))
    steps = stages.pop("steps", None)
    precisions = set(stages.values())
    alike = next(iter(precisions)) if len(precisions) == 1 else ", ".join(f"{k} {v}" for k, v in stages.items() if v != "fp32")
    return alike.replace("fp32", "FP32") + (f", {steps} steps" if steps not in (None, "10") else "")


def _latency(row: Mapping[str, Any]) -> str:
    ms = row["latency_ms"]
    return "0" if ms == 0 else f"{ms:,.0f}".replace(",", " ") + f" ms, {LATENCY_KINDS[row['latency_kind']]}"


def _by_split(starts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first 20 are the test starts, the last 10 the validation starts of the held-out cluster."""
    return [f"{sum(start['success'] for start in part)}/{len(part)}" for part in (starts[:20], starts[20:])]
