"""The report as a document: what is written is read back, and nothing else is taken for one."""

import json
from dataclasses import fields, replace

import pytest

from tests.trap_reports import report
from vla_demo.core.errors import InvalidInput
from vla_demo.evaluation.bootstrap import Interval
from vla_demo.evaluation.sensitivity import SensitivityReport


def test_what_is_written_is_read_back() -> None:
    written = report()
    assert SensitivityReport.read(json.dumps(written.as_json(), allow_nan=False)) == written


def test_a_report_of_a_policy_without_denoising_too() -> None:
    written = replace(report(), denoise_steps=None, per_iteration={}, amplification={}, coherence={}, steps=())
    assert SensitivityReport.read(json.dumps(written.as_json(), allow_nan=False)) == written


def test_numbers_are_written_to_five_digits() -> None:
    facts = replace(report().fp32, vs_recorded=Interval(1 / 3, 1e-9 / 3, 123456.789))
    rough = replace(report(), fp32=facts)
    assert rough.as_json()["fp32"]["vs_recorded"] == {"mean": 0.33333, "low": 3.3333e-10, "high": 123460.0}
    assert rough.rounded() == SensitivityReport.read(json.dumps(rough.as_json())) != rough


def test_the_document_has_every_field_of_the_report() -> None:
    assert set(report().as_json()) == {f.name for f in fields(SensitivityReport)}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "no trap report"),
        ("{}", "lacks"),
        (json.dumps(report().as_json() | {"version": 99}), "version 99"),
        (json.dumps({"version": 1, "findings": [{"figure": "heatmap", "text": "An old one."}]}), "version 1.*compute it again"),
        (json.dumps(report().as_json() | {"surprise": 1}), "surprise"),
        (json.dumps(report().as_json() | {"steps": [{"steps": "ten"}]}), r"steps\[0\]"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        SensitivityReport.read(text)
