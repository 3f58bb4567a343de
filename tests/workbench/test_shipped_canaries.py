"""A canary: one start of the rows that ship, tried again, so that a shipped number cannot go out of date unseen.

Bit for bit on a machine like the one they were computed on. Elsewhere other kernels round otherwise, and weights may have 7 bits: there
the outcome has to be the same, and the time within a twentieth (measured with 7 bits: at most a tick).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from vla_demo.core.package import PolicyPackage
from vla_demo.evaluation.fingerprint import RunFingerprint
from vla_demo.evaluation.rollout_report import StartResult
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.rollout.shipped import MeasuredRollout, batch_of, measured_rollouts, try_again

NEAR_SECONDS = 0.05  # relative
ROW = ("vision=int8,expert=int8", "async", 320.0)


def shipped_row() -> MeasuredRollout:
    (row,) = (r for r in measured_rollouts() if r.policy == "act" and (r.report.variant, r.report.mode, r.report.latency_ms) == ROW)
    return row


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


def test_what_is_stamped_was_seen_and_is_of_its_row() -> None:
    for row in measured_rollouts():
        fingerprint, verified = row.report.fingerprint, row.verified
        if fingerprint is None:
            assert verified is None and row.policy != "act"  # a row that nobody has tried again yet
            continue
        assert verified is None or 0 < verified.reproduced <= verified.of == row.report.n
        assert (fingerprint.settings["variant"], fingerprint.settings["mode"]) == (row.report.variant, row.report.mode)
        assert fingerprint.settings["latency"] * 1e3 == pytest.approx(row.report.latency_ms)
        precisions = {f"{graph.stage}={graph.precision}" for graph in fingerprint.graphs}
        assert precisions == {part for part in row.report.variant.split(",") if not part.startswith("steps=")}
