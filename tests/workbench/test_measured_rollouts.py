"""The closed-loop rows that come with the app are of its checkpoints and of the whole protocol, and the README shows them all."""

from pathlib import Path
from typing import Any

import pytest

from vla_demo.evaluation.rollout_report import paired_starts
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.policies import BUNDLED_POLICIES, sketch_policy
from vla_demo.workbench.rollout.shipped import markdown_table, measured_rollouts

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def row(**changed: Any) -> dict[str, Any]:
    return {**measured_rollouts()[0], **changed}


@pytest.mark.parametrize("policy", list(BUNDLED_POLICIES))
def test_the_rows_are_of_the_bundled_checkpoint(policy: str) -> None:
    sketch = sketch_policy(policy)
    assert sketch is not None
    assert {row["revision"] for row in measured_rollouts() if row["policy"] == policy} == {sketch.revision}


def test_each_row_is_the_whole_protocol_and_adds_up() -> None:
    for row in measured_rollouts():
        won = sum(start["success"] for start in row["starts"])
        assert (row["successes"], row["n"]) == (won, 30)
        assert tuple(row["wilson95"]) == pytest.approx(wilson_interval(won, 30))


def test_every_policy_has_its_row_without_latency_and_rows_under_a_boards() -> None:
    for policy in BUNDLED_POLICIES:
        kinds = {(row["mode"], row["latency_kind"]) for row in measured_rollouts() if row["policy"] == policy}
        assert {("sync", "given"), ("sync", "published"), ("async", "published")} <= kinds


def test_the_readme_shows_the_rows_as_measured() -> None:
    assert markdown_table(measured_rollouts()) in README


INT8 = "vision=int8,llm=int8,expert=int8,steps=10"
FP32 = "vision=fp32,llm=fp32,expert=fp32,steps=10"
PAIRS = [
    (("async", 400, INT8), ("seamfree", 400, INT8), "async 10/30, seam-free 17/30 (p = {})"),
    (("sync", 0, FP32), ("sync", 0, INT8), "int8 everywhere 21/30 (p = {})"),
    (("sync", 0, FP32), ("sync", 0, "vision=fp32,llm=fp32,expert=int4,steps=10"), "int4 in the expert alone 19/30 (p = {})"),
    (("sync", 0, FP32), ("sync", 0, "vision=int4,llm=int4,expert=fp32,steps=10"), "int4 in vision and language 16/30 (p = {})"),
    (("sync", 0, FP32), ("sync", 0, "vision=int2,llm=int2,expert=int2,steps=10"), "int2 everywhere 15/30 (p = {})"),
    (("sync", 0, FP32), ("sync", 0, "vision=fp32,llm=fp32,expert=fp32,steps=2"), "two denoising steps instead of ten 25/30 (p = {})"),
]


def starts(mode: str, latency_ms: float, variant: str) -> dict[int, bool]:
    (found,) = [r for r in measured_rollouts() if (r["mode"], round(r["latency_ms"]), r["variant"]) == (mode, latency_ms, variant)]
    return {start["start"]: start["success"] for start in found["starts"]}


@pytest.mark.parametrize(("one", "other", "claim"), PAIRS)
def test_what_the_readme_says_of_a_pair_is_what_the_rows_say(
    one: tuple[str, float, str], other: tuple[str, float, str], claim: str
) -> None:
    p = f"{paired_starts(starts(*one), starts(*other), ('one', 'other'))['p']:.2g}"
    assert claim.format(p) in " ".join(README.split())


def test_another_count_would_not_be_the_readmes() -> None:
    other = row(successes=measured_rollouts()[0]["successes"] - 1)
    assert markdown_table([other]).splitlines()[-1] not in README


def line(**changed: Any) -> str:
    """Of a made-up row."""
    starts = [{"start": n, "cluster": 1 if n < 20 else 6, "success": n % 3 > 0} for n in range(30)]
    known = {"policy": "act", "variant": "vision=int8,expert=int8", "mode": "async", "latency_ms": 320.0, "latency_kind": "published"}
    counts = {"successes": 20, "n": 30, "wilson95": [0.488, 0.808], "idle_share": 0.021, "time_to_success_s": 7.25, "starts": starts}
    return markdown_table([known | counts | changed]).splitlines()[-1]


def test_a_line_has_count_interval_split_and_idle_share() -> None:
    assert line() == "| ACT | int8 | async | 320 ms, published | 20/30 (0.49 to 0.81) | 13/20, 7/10 | 2 % | 7.2 s |"


def test_stages_that_differ_are_named_and_so_are_fewer_steps() -> None:
    assert "| vision int4, llm int4, 2 steps |" in line(variant="vision=int4,llm=int4,expert=fp32,steps=2")


def test_no_latency_has_no_source_and_no_success_no_time() -> None:
    told = line(latency_ms=0.0, latency_kind="given", time_to_success_s=None)
    assert "| 0 |" in told and told.endswith("| - |")
