"""The reports that come with the app are of the checkpoints that come with it, and say what they are."""

import json
from pathlib import Path

import pytest

from vla_demo.core.demo import Demo, require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.evaluation.claims.findings import findings
from vla_demo.evaluation.sensitivity import REPORT_VERSION, SensitivityReport
from vla_demo.workbench.datasets import dataset_for
from vla_demo.workbench.policies import BUNDLED_POLICIES, sketch_policy
from vla_demo.workbench.sensitivity import shipped
from vla_demo.workbench.sensitivity.shipped import bundled_report

LARGEST = 300_000  # bytes; a report is read before anything is shown


@pytest.fixture(params=list(BUNDLED_POLICIES))
def report(request: pytest.FixtureRequest) -> SensitivityReport:
    found = bundled_report(request.param)
    assert found is not None and found.policy == request.param
    return found


def test_a_bundled_report_is_of_the_bundled_checkpoint(report: SensitivityReport) -> None:
    sketch = sketch_policy(report.policy)
    assert sketch is not None and (report.revision, report.family) == (sketch.revision, sketch.family)


def test_a_report_of_another_checkpoint_would_be_noticed(report: SensitivityReport) -> None:
    other = next(name for name in BUNDLED_POLICIES if name != report.policy)
    sketch = sketch_policy(other)
    assert sketch is not None and report.revision != sketch.revision


def test_it_is_over_all_bundled_episodes_and_every_stage(report: SensitivityReport) -> None:
    assert report.episodes == tuple(e.index for e in dataset_for(None).episodes)
    sketch = sketch_policy(report.policy)
    assert sketch is not None
    assert {row.stage for row in report.sensitivity} == {"all", *(stage.role for stage in sketch.stages)}
    assert bool(report.per_iteration) == bool(report.steps) == (sketch.denoise_steps is not None)


def test_its_sentences_are_those_of_its_numbers(report: SensitivityReport) -> None:
    assert report.findings == findings(report)


def test_it_says_when_and_where_and_stays_small(report: SensitivityReport) -> None:
    assert report.computed.when and report.computed.machine and report.computed.seconds > 0
    assert require_demo().sensitivity(report.policy).stat().st_size < LARGEST


def test_a_policy_that_is_not_bundled_has_none() -> None:
    assert bundled_report("your-name/your-policy") is None and bundled_report("../trap/act") is None


def test_a_damaged_report_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = Demo(tmp_path)
    damaged.sensitivity("act").parent.mkdir()
    damaged.sensitivity("act").write_text(json.dumps({"version": REPORT_VERSION}))
    monkeypatch.setattr(shipped, "find_demo", lambda: damaged)
    with pytest.raises(InvalidInput, match="no trap report"):
        bundled_report("act")
