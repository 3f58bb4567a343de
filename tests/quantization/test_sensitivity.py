"""Layer sensitivity: every layer alone, measured at itself and at the actions; the user's cache stays as it was."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import observation
from vla_demo.core.errors import InvalidInput, UnknownVariant
from vla_demo.core.package import PolicyPackage
from vla_demo.quantization import sensitivity
from vla_demo.quantization.calibration import Calibration
from vla_demo.quantization.layers import stage_layers
from vla_demo.quantization.sensitivity import LayerSensitivity, Working, layer_sensitivity
from vla_demo.quantization.trials import Judgement, Trials

JUDGEMENT = Judgement((observation(1), observation(2)), np.full(6, 10.0))


def measured(package: PolicyPackage, role: str, *precisions: str) -> list[LayerSensitivity]:
    return [step for step in layer_sensitivity(package, role, precisions, JUDGEMENT) if isinstance(step, LayerSensitivity)]


@pytest.mark.parametrize(("name", "role"), [("act", "vision"), ("act", "expert"), *(("smolvla", r) for r in ("vision", "llm", "expert"))])
def test_every_layer_of_every_stage_is_measured(name: str, role: str, request: pytest.FixtureRequest) -> None:
    package: PolicyPackage = request.getfixturevalue(name)
    found = measured(package, role, "int8")
    assert {(s.graph, s.layer) for s in found} == {(g, layer) for g, layers in stage_layers(package, role).items() for layer in layers}
    assert all(0 < s.own_error < 0.1 and len(s.action_errors) == 2 for s in found)
    assert any(s.action_error > 0 for s in found)


def test_fewer_bits_cost_more(smolvla: PolicyPackage) -> None:
    found = {(s.layer, s.precision): s for s in measured(smolvla, "expert", "int8w-b16", "int2-b16")}
    layers = {layer for layer, _ in found}
    assert len(layers) == 4  # the fifth is too narrow for blocks to make it smaller, so it is left out
    assert all(found[layer, "int2-b16"].own_error > 5 * found[layer, "int8w-b16"].own_error for layer in layers)
    more = [found[layer, "int2-b16"].action_error > found[layer, "int8w-b16"].action_error for layer in layers]
    assert all(more)


def test_the_same_question_gets_the_same_answer(smolvla: PolicyPackage) -> None:
    assert measured(smolvla, "expert", "int8") == measured(smolvla, "expert", "int8")


def test_nothing_is_kept(smolvla: PolicyPackage, own_cache: Path) -> None:
    before = sorted(smolvla.folder.iterdir())
    measured(smolvla, "expert", "int8")
    assert not own_cache.exists()
    assert sorted(smolvla.folder.iterdir()) == before


def test_progress_is_told_and_it_can_be_stopped(smolvla: PolicyPackage) -> None:
    steps = layer_sensitivity(smolvla, "expert", ["int8"], JUDGEMENT)
    told = [step for step, _ in zip(steps, range(4), strict=False) if isinstance(step, Working)]
    assert [step.fraction for step in told] == sorted(step.fraction for step in told)
    assert "(1 of 5)" in told[1].text
    steps.close()  # type: ignore[attr-defined]


def test_a_layer_that_stays_as_it_is_is_left_out(smolvla: PolicyPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unwilling:
        needs_calibration = False

        def apply(self, prepared: Path, target: Path, where: object, feeds: object) -> list[object]:
            return [type("Decision", (), {"reason": "no"})()]

    monkeypatch.setattr(sensitivity, "scheme_for", lambda precision: Unwilling())
    assert measured(smolvla, "expert", "int8") == []


def test_fp32_graphs_on_trial_make_no_error(smolvla: PolicyPackage, tmp_path: Path) -> None:
    """What measures errors must be able to find none."""
    trials = Trials(smolvla, "expert", JUDGEMENT, tmp_path)
    assert trials.errors(trials.prepared) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_what_does_not_exist_is_refused(act: PolicyPackage) -> None:
    with pytest.raises(UnknownVariant, match="no stage llm"):
        measured(act, "llm", "int8")
    with pytest.raises(UnknownVariant, match="unknown precision"):
        measured(act, "vision", "int3")
    with pytest.raises(InvalidInput, match="at least one observation"):
        Judgement((), np.ones(6))


def test_precisions_that_look_at_data_are_measured_on_a_calibration(act: PolicyPackage) -> None:
    calibration = Calibration("made up", "train", (0,), (observation(3), observation(4)))
    steps = layer_sensitivity(act, "expert", ["int8-smooth", "int8-static"], JUDGEMENT, calibration)
    found = [step for step in steps if isinstance(step, LayerSensitivity)]
    assert {step.precision for step in found} == {"int8-smooth", "int8-static"}
    assert all(0 < step.own_error < 0.1 for step in found)
