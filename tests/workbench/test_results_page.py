"""What docs/results.md says the bench found is what the reports that ship say."""

from pathlib import Path

import pytest

from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.sensitivity.shipped import bundled_report

RESULTS = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


def report(name: str) -> SensitivityReport:
    found = bundled_report(name)
    assert found is not None
    return found


def errors(found: SensitivityReport, precision: str) -> dict[str, float]:
    """Stage -> mean error, of the stages that can have the precision."""
    return {row.stage: row.error.mean for row in found.sensitivity if row.precision == precision and row.error is not None}


def expert_factors(found: SensitivityReport, precisions: list[str]) -> str:
    """How many times the next stage's error the expert's is, as a span."""
    factors = []
    for precision in precisions:
        alone = {stage: error for stage, error in errors(found, precision).items() if stage != "all"}
        expert = alone.pop("expert")
        if alone:
            factors.append(expert / max(alone.values()))
    return f"{min(factors):.1f} to {max(factors):.1f} times"


LOSSY = ["int8", "int8-static", "int8-smooth", "int8w", "int4", "int2"]


def facts() -> dict[str, str]:
    smolvla, act = report("smolvla"), report("act")
    assert smolvla.fp32.seed_spread is not None
    left = [values[-1] for precision, values in smolvla.amplification.items() if precision in LOSSY]
    numbers = [float(value) for value in left if value is not None]
    shares = {
        p: f"{p} {errors(smolvla, p)['all'] / smolvla.fp32.seed_spread.mean:.0%}".replace("%", " %") for p in ("int8", "int4", "int2")
    }
    assert errors(act, "int2")["vision"] > errors(act, "int2")["expert"]
    return {
        "expert": f"{expert_factors(smolvla, LOSSY)} the next one",
        "left": f"{min(numbers):.2f} to {max(numbers):.2f} of what the steps got wrong",
        **shares,
        "act": f"({expert_factors(act, [p for p in LOSSY if p != 'int2'])})",
        "observations": f"{smolvla.n_observations} observations of {smolvla.n_episodes} recorded episodes",
    }


@pytest.mark.parametrize("fact", ["expert", "left", "int8", "int4", "int2", "act", "observations"])
def test_the_results_page_has_the_reports_number(fact: str) -> None:
    assert facts()[fact] in " ".join(RESULTS.split()), facts()[fact]


def test_no_variant_of_smolvla_is_said_to_be_worse_than_fp32() -> None:
    verdicts = {row.verdict for row in report("smolvla").sensitivity if row.verdict is not None}
    assert verdicts == {"not distinguishable"} and "not distinguishable from FP32" in " ".join(RESULTS.split())
