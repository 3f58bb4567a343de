"""A measured closed-loop row as a line of the README's table."""

from typing import Any

from vla_demo.workbench.measured_rollouts import markdown_table

STARTS = [{"start": n, "cluster": 1 if n < 20 else 6, "success": n % 3 > 0} for n in range(30)]


def line(**changed: Any) -> str:
    row = {
        "policy": "act",
        "variant": "vision=int8,expert=int8",
        "mode": "async",
        "latency_ms": 320.0,
        "latency_kind": "published",
        "successes": 20,
        "n": 30,
        "wilson95": [0.488, 0.808],
        "idle_share": 0.021,
        "time_to_success_s": 7.25,
        "starts": STARTS,
    }
    return markdown_table([row | changed]).splitlines()[-1]


def test_a_line_has_count_interval_split_and_idle_share() -> None:
    assert line() == "| ACT | int8 | async | 320 ms, published | 20/30 (0.49 to 0.81) | 13/20, 7/10 | 2 % | 7.2 s |"


def test_stages_that_differ_are_named_and_so_are_fewer_steps() -> None:
    assert "| vision int4, llm int4, 2 steps |" in line(variant="vision=int4,llm=int4,expert=fp32,steps=2")


def test_no_latency_has_no_source_and_no_success_no_time() -> None:
    told = line(latency_ms=0.0, latency_kind="given", time_to_success_s=None)
    assert "| 0 |" in told and told.endswith("| - |")
