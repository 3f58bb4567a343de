"""Canaries: one start and one cell of the results that ship, computed again, so that a shipped number cannot go out of date unseen.

Bit for bit on a machine like the one they were computed on. Elsewhere other kernels round otherwise, and weights may have 7 bits: there
the outcome has to be the same, the time within a twentieth and the error of a cell within a fifth (with 7 bits: at most a tick, and 15 %).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from vla_demo.core.package import PolicyPackage
from vla_demo.evaluation.fingerprint import RunFingerprint
from vla_demo.evaluation.rollout_report import StartResult
from vla_demo.evaluation.sensitivity import SensitivityReport, SensitivityRow
from vla_demo.workbench.datasets import dataset_for
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.rollout.shipped import MeasuredRollout, batch_of, measured_rollouts, try_again
from vla_demo.workbench.sensitivity.plan import SensitivityRequest
from vla_demo.workbench.sensitivity.shipped import bundled_report
from vla_demo.workbench.sensitivity.study import SensitivityStudy

NEAR_SECONDS, NEAR_ERROR = 0.05, 0.2  # relative
ROW = ("vision=int8,expert=int8", "async", 320.0)
CELL = ("expert", "int8")
TIMES = {"ms": None, "fp32_ms": None}  # what a machine that does other work measures otherwise


def shipped_row() -> MeasuredRollout:
    (row,) = (r for r in measured_rollouts() if r.policy == "act" and (r.report.variant, r.report.mode, r.report.latency_ms) == ROW)
    return row


def shipped_report() -> SensitivityReport:
    report = bundled_report("act")
    assert report is not None
    return report


def cell(report: SensitivityReport) -> SensitivityRow:
    (row,) = (row for row in report.sensitivity if (row.stage, row.precision) == CELL)
    return replace(row, **TIMES)


def exact(shipped: RunFingerprint | None, here: RunFingerprint | None) -> bool:
    """Whether the numbers have to be the same bit for bit: whatever became of the code since."""
    assert shipped is not None and here is not None, "a shipped result has no fingerprint; verify it with its recipe"
    return shipped.same_machine(here)


def same_start(shipped: StartResult, found: StartResult, bit_for_bit: bool) -> bool:
    if bit_for_bit:
        return shipped == found
    return (shipped.start, shipped.success) == (found.start, found.success) and found.seconds == pytest.approx(
        shipped.seconds, rel=NEAR_SECONDS
    )


def same_cell(shipped: SensitivityRow, found: SensitivityRow, bit_for_bit: bool) -> bool:
    if bit_for_bit:
        return shipped == found
    assert shipped.error is not None and found.error is not None
    return shipped.nodes == found.nodes and found.error.mean == pytest.approx(shipped.error.mean, rel=NEAR_ERROR)


def test_a_shipped_start_comes_out_the_same(bundled_act: PolicyPackage, own_cache: Path) -> None:
    row = shipped_row()
    batch = batch_of(row, bundled_act)
    list(prepare_variant(bundled_act, batch.variant))
    ((shipped, found),) = try_again(row, batch, 1)
    assert same_start(shipped, found, exact(row.report.fingerprint, batch.fingerprint())), (shipped, found)
    for bit_for_bit in (True, False):  # the negative control: other numbers would be noticed, on either kind of machine
        assert not same_start(replace(shipped, seconds=shipped.seconds + 1), found, bit_for_bit)
        assert not same_start(replace(shipped, success=False), found, bit_for_bit)
    assert not same_start(replace(shipped, seconds=shipped.seconds + 1 / 30), found, True)


def test_a_shipped_cell_comes_out_the_same(bundled_act: PolicyPackage, own_cache: Path) -> None:
    report = shipped_report()
    shipped = cell(report)
    request = SensitivityRequest("act", variants=(shipped.variant,), observations_per_episode=report.n_observations // report.n_episodes)
    *_, found = SensitivityStudy(request, bundled_act, dataset_for(None)).steps()
    assert isinstance(found, SensitivityReport)
    again = cell(found)
    assert same_cell(shipped, again, exact(report.computed.fingerprint, found.computed.fingerprint)), (shipped, again)
    assert shipped.error is not None
    for bit_for_bit in (True, False):  # the negative control
        assert not same_cell(replace(shipped, error=replace(shipped.error, mean=1.5 * shipped.error.mean)), again, bit_for_bit)
    assert not same_cell(replace(shipped, error=replace(shipped.error, mean=1.0001 * shipped.error.mean)), again, True)


def test_what_is_stamped_was_seen_and_is_of_its_row() -> None:
    for row in measured_rollouts():
        fingerprint, verified = row.report.fingerprint, row.verified
        assert fingerprint is not None
        assert verified is None or 0 < verified.reproduced <= verified.of == row.report.n
        assert (fingerprint.settings["variant"], fingerprint.settings["mode"]) == (row.report.variant, row.report.mode)
        assert fingerprint.settings["latency"] * 1e3 == pytest.approx(row.report.latency_ms)
        precisions = {f"{graph.stage}={graph.precision}" for graph in fingerprint.graphs}
        assert precisions == {part for part in row.report.variant.split(",") if not part.startswith("steps=")}
