"""What others published is held against a report's own numbers: each claim can be agreed with, contradicted, and left open."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.trap_reports import around
from tests.ui.sample_report import cell, sample_report
from vla_demo.evaluation.claims import agreement
from vla_demo.evaluation.claims.published import CLAIMS, compare
from vla_demo.evaluation.sensitivity import LayerRow, SensitivityReport, SensitivityRow
from vla_demo.runtime.strict_json import from_json

ROLES = ["vision", "llm", "expert"]


def report(**errors: tuple[float, float, float]) -> SensitivityReport:
    """A report of these precisions only: vision, llm, expert."""
    rows = [
        from_json(SensitivityRow, cell(ROLES, role, precision.replace("_", "-"), value), "")
        for precision, values in errors.items()
        for role, value in zip(ROLES, values, strict=True)
    ]
    return replace(sample_report("smolvla"), sensitivity=tuple(rows))


def with_row(made: SensitivityReport, stage: str, precision: str, **change: Any) -> SensitivityReport:
    rows = [replace(row, **change) if (row.stage, row.precision) == (stage, precision) else row for row in made.sensitivity]
    return replace(made, sensitivity=tuple(rows))


@pytest.mark.parametrize(
    ("errors", "verdict", "word"),
    [
        ({"int8": (0.01, 0.01, 0.05), "int4": (0.02, 0.02, 0.5)}, "agrees", "worse than FP32 in 1 of 2"),
        ({"int8": (0.01, 0.01, 0.05), "int4": (0.02, 0.02, 0.2)}, "partly", "worse than FP32 in 0 of 2"),
        ({"int8": (0.05, 0.01, 0.01)}, "differs", "the vision encoder in INT8"),
        ({"int8": (0.01, 0.01, 0.05), "int4": (0.3, 0.02, 0.1)}, "partly", "the vision encoder in INT4"),
        ({"int8": (0.050, 0.01, 0.051)}, "differs", "not distinguishable in INT8"),
    ],
)
def test_the_article_s_fragile_expert(errors: Mapping[str, Any], verdict: str, word: str) -> None:
    found = agreement.expert_is_fragile(report(**errors))
    assert found.verdict == verdict
    assert word in found.here


def test_rounding_to_fp16_ranks_nothing() -> None:
    assert agreement.expert_is_fragile(report(fp16=(1e-4, 1e-4, 9e-4))).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("errors", "verdict"), [((0.01, 0.09, 0.02), "agrees"), ((0.01, 0.02, 0.09), "differs"), ((0.01, 0.05, 0.051), "partly")]
)
def test_arm_s_prefix_in_fp32(errors: tuple[float, float, float], verdict: str) -> None:
    assert agreement.prefix_needs_fp32(report(int8=errors)).verdict == verdict


def test_no_universal_stage_is_contradicted_by_one_that_is_always_worst() -> None:
    always = report(int8=(0.01, 0.01, 0.05), int4=(0.02, 0.02, 0.2))
    changing = report(int8=(0.01, 0.01, 0.05), int4=(0.02, 0.2, 0.02))
    mostly = report(int8=(0.01, 0.01, 0.05), int4=(0.2, 0.02, 0.2))
    assert [agreement.no_universal_stage(one).verdict for one in (always, changing, mostly)] == ["differs", "agrees", "partly"]
    assert agreement.no_universal_stage(report(int8=(0.01, 0.01, 0.05))).verdict == "cannot tell"


@pytest.mark.parametrize(("plain", "smooth", "verdict"), [(0.665, 0.9996, "agrees"), (0.665, 0.97, "partly"), (0.9991, 0.9997, "differs")])
def test_smoothing_repairs_what_plain_int8_breaks(plain: float, smooth: float, verdict: str) -> None:
    made = report(int8=(0.01, 0.01, 0.5), int8_smooth=(0.01, 0.01, 0.02))
    made = with_row(with_row(made, "expert", "int8", min_cosine=plain), "expert", "int8-smooth", min_cosine=smooth)
    assert agreement.smoothing_repairs(made).verdict == verdict


def test_a_claim_about_smolvla_is_not_held_against_another_family() -> None:
    assert agreement.smoothing_repairs(replace(report(int8=(1, 1, 1), int8_smooth=(1, 1, 1)), family="act")).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("last", "verdict"),
    [({"int8": 1.3, "int4": 1.0}, "agrees"), ({"int8": 0.5, "int4": 0.7}, "differs"), ({"int8": 1.2, "int4": 0.5}, "partly")],
)
def test_whether_errors_accumulate(last: Mapping[str, float], verdict: str) -> None:
    made = replace(report(), amplification={precision: (1.0, value) for precision, value in last.items()})
    assert agreement.errors_accumulate(made).verdict == verdict


@pytest.mark.parametrize(
    ("residuals", "verdict", "word"),
    [((0.82, 0.3), "agrees", "82 % in INT8"), ((0.0, 0.03), "differs", "by itself"), ((0.89, 0.03), "partly", "together")],
)
def test_whether_stages_add(residuals: tuple[float, float], verdict: str, word: str) -> None:
    made = report()
    pairs = tuple(replace(pair, residual=residual) for pair, residual in zip(made.two_by_two, residuals, strict=True))
    found = agreement.stages_do_not_add(replace(made, two_by_two=pairs))
    assert found.verdict == verdict
    assert word in found.here


def layer(stage: str, block: int, error: float) -> LayerRow:
    return LayerRow(stage, f"layers.{block}.mlp.down_proj", "int8", 0.1, around(error), 1000)


@pytest.mark.parametrize(("expert", "verdict"), [(0.001, "agrees"), (0.02, "partly"), (0.2, "differs")])
def test_late_vision_and_early_language_layers(expert: float, verdict: str) -> None:
    layers = (
        layer("vision", 0, 0.001),
        layer("vision", 9, 0.05),
        layer("llm", 0, 0.05),
        layer("llm", 9, 0.001),
        layer("expert", 0, expert),
    )
    assert agreement.late_vision_early_language(replace(report(), layers=layers)).verdict == verdict


def test_layers_of_another_precision_are_told_and_decide_nothing() -> None:
    layers = tuple(replace(one, precision="int4") for one in (layer("vision", 9, 0.1), layer("llm", 0, 0.1), layer("expert", 0, 0.001)))
    found = agreement.late_vision_early_language(replace(report(), layers=layers))
    assert found.verdict == "cannot tell"
    assert "In INT4 late vision and early language layers cost 1e+02 times" in found.here


def test_a_smaller_graph_that_is_slower_is_counted() -> None:
    made = report(int4=(0.1, 0.1, 0.1))
    assert agreement.smaller_is_not_faster(made).verdict == "agrees"
    fast = replace(made, sensitivity=tuple(replace(row, ms=1.0) for row in made.sensitivity))
    assert agreement.smaller_is_not_faster(fast).verdict == "differs"


@pytest.mark.parametrize(("few", "many", "verdict"), [(0.3, 0.5, "agrees"), (0.5, 0.3, "differs"), (0.4, 0.41, "cannot tell")])
def test_whether_the_demonstration_likes_fewer_steps(few: float, many: float, verdict: str) -> None:
    row = report().steps[0]
    steps = tuple(replace(row, steps=n, vs_recorded=around(error)) for n, error in ((1, few), (10, many)))
    assert agreement.demonstration_likes_fewer_steps(replace(report(), steps=steps)).verdict == verdict


@pytest.mark.parametrize("policy", ["act", "smolvla"])
def test_every_claim_says_something_about_either_policy_and_names_its_source(policy: str) -> None:
    found = list(compare(sample_report(policy)))
    assert len(found) == len(CLAIMS)
    assert all(claim.source and claim.link.startswith("https://") and finding.here.endswith(".") for claim, finding in found)


def test_an_act_has_nothing_to_say_about_iterations() -> None:
    ((_, finding),) = compare(sample_report("act"), "iterations")
    assert finding.verdict == "cannot tell"


def test_rows_that_could_not_be_measured_decide_nothing() -> None:
    made = sample_report("smolvla")
    without = replace(made, sensitivity=tuple(row for row in made.sensitivity if row.problem is None))
    assert [f.here for _, f in compare(made)] == [f.here for _, f in compare(without)]
    assert len(without.sensitivity) < len(made.sensitivity)
