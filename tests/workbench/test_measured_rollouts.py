"""The closed-loop rows that come with the app are of its checkpoints and of the whole protocol, and docs/results.md shows them all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vla_demo.core.demo import require_demo
from vla_demo.evaluation.rollout_report import RolloutReport, StartResult, paired
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.policies import BUNDLED_POLICIES, sketch_policy
from vla_demo.workbench.rollout.shipped import MeasuredRollout, markdown_table, measured_rollouts

RESULTS = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


def row(**changed: Any) -> MeasuredRollout:
    """The first, changed."""
    found = measured_rollouts()[0]
    return replace(found, report=replace(found.report, **changed))


@pytest.mark.parametrize("policy", list(BUNDLED_POLICIES))
def test_the_rows_are_of_the_bundled_checkpoint(policy: str) -> None:
    sketch = sketch_policy(policy)
    assert sketch is not None
    assert {row.revision for row in measured_rollouts() if row.policy == policy} == {sketch.revision}


def test_each_row_is_the_whole_protocol_and_adds_up() -> None:
    for row in measured_rollouts():
        won = sum(start.success for start in row.report.starts)
        assert (row.report.successes, row.report.n) == (won, 30)
        assert row.report.wilson95 == pytest.approx(wilson_interval(won, 30))


def test_a_row_is_written_as_it_was_read() -> None:
    document = json.loads(require_demo().rollouts.read_text(encoding="utf-8"))["rows"]
    assert document == [row.as_json() for row in measured_rollouts()]


def test_every_policy_has_its_row_without_latency_and_rows_under_a_boards() -> None:
    for policy in BUNDLED_POLICIES:
        kinds = {(row.report.mode, row.report.latency_kind) for row in measured_rollouts() if row.policy == policy}
        assert {("sync", "given"), ("sync", "published"), ("async", "published")} <= kinds


def test_the_results_page_shows_the_rows_as_measured() -> None:
    assert markdown_table(measured_rollouts()) in RESULTS


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


def report(mode: str, latency_ms: float, variant: str) -> RolloutReport:
    reports = [row.report for row in measured_rollouts()]
    (found,) = [one for one in reports if (one.mode, round(one.latency_ms), one.variant) == (mode, latency_ms, variant)]
    return found


@pytest.mark.parametrize(("one", "other", "claim"), PAIRS)
def test_what_the_results_page_says_of_a_pair_is_what_the_rows_say(
    one: tuple[str, float, str], other: tuple[str, float, str], claim: str
) -> None:
    p = f"{paired(report(*one), report(*other), ('one', 'other')).p:.2g}"
    assert claim.format(p) in " ".join(RESULTS.split())


def test_another_count_would_not_be_on_the_results_page() -> None:
    other = row(successes=measured_rollouts()[0].report.successes - 1)
    assert markdown_table([other]).splitlines()[-1] not in RESULTS


def line(**changed: Any) -> str:
    """Of a made-up row."""
    starts = tuple(StartResult(n, 1 if n < 20 else 6, n % 3 > 0, 6.0, 1, ()) for n in range(30))
    known = {"variant": "vision=int8,expert=int8", "mode": "async", "latency_ms": 320.0, "latency_kind": "published"}
    counts = {"successes": 20, "n": 30, "wilson95": (0.488, 0.808), "idle_share": 0.021, "time_to_success_s": 7.25, "starts": starts}
    return markdown_table([row(**{**known, **counts, **changed})]).splitlines()[-1]


def test_a_line_has_count_interval_split_and_idle_share() -> None:
    assert line() == "| ACT | INT8 | async | 320 ms, published | 20/30 (0.49 to 0.81) | 13/20, 7/10 | 2 % | 7.2 s |"


def test_stages_that_differ_are_named_and_so_are_steps_and_the_mode() -> None:
    said = line(variant="vision=int4,llm=int4,expert=fp32,steps=2", mode="seamfree")
    assert "| vision INT4, llm INT4, expert FP32, 2 steps | seam-free |" in said


def test_no_latency_has_no_source_and_no_success_no_time() -> None:
    found = line(latency_ms=0.0, latency_kind="given", time_to_success_s=None)
    assert "| none |" in found and found.endswith("| – |")
