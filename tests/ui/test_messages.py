"""What the server says to the page: the strip comes from the package, the figures from the report, and nothing is said twice the same."""

from pathlib import Path

import numpy as np
import pytest

from tests.ui.fake_policies import RECIPE, package, set_event
from tests.ui.fake_replay import FRAMES, FakeRun, actions
from tests.ui.fake_workbench import FakeWorkbench
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.ui.replay import messages as replay_messages
from vla_demo.ui.shared import messages
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import RunRequest


def strip(policy: str, variant: str = "", recipes: messages.Recipes | None = None) -> messages.Strip:
    spec = package(policy).spec
    return messages.Strip(spec, Variant.parse(variant, spec), 30.0, recipes or {})


def finished(policy: str, variant: str, frames: int = FRAMES) -> tuple[FakeRun, list[ReplayStep]]:
    run = FakeRun(RunRequest(policy, Variant.parse(variant, package(policy).spec), 0, 0), set_event())
    played = []
    for step in run.steps():
        if isinstance(step, ReplayStep):
            played.append(step)
        if len(played) == frames:
            break
    return run, played


@pytest.mark.parametrize(("policy", "roles"), [("act", ["vision", "expert"]), ("smolvla", ["vision", "llm", "expert"])])
def test_the_strip_has_a_block_for_each_stage_in_running_order(policy: str, roles: list[str]) -> None:
    drawn = messages.policy("o1", package(policy), strip(policy))["policy"]
    assert [stage["role"] for stage in drawn["stages"]] == roles
    assert all([entry["scheme"] for entry in stage["precisions"]] == list(OFFERED_PRECISIONS) for stage in drawn["stages"])


def test_only_a_stage_that_denoises_has_a_steps_slider() -> None:
    drawn = messages.policy("o1", package("smolvla"), strip("smolvla", "expert=int8,steps=3"))["policy"]
    assert [stage["steps"] for stage in drawn["stages"]] == [None, None, {"choice": 3, "most": 20}]
    assert [stage["choice"] for stage in drawn["stages"]] == ["fp32", "fp32", "int8"]


def test_a_sketch_has_everything_but_bytes() -> None:
    drawn = messages.sketch("o1", strip("smolvla"))["policy"]
    made = messages.policy("o1", package("smolvla"), strip("smolvla"))["policy"]
    assert [stage["bytes"] for stage in made["stages"]] == [1_400_000, 3_400_000, 4_800_000]
    assert {**made, "stages": [{**stage, "bytes": None} for stage in made["stages"]]} == drawn


def test_the_slider_reaches_what_a_link_asks_for() -> None:
    drawn = messages.policy("o1", package("smolvla"), strip("smolvla", "steps=40"))["policy"]
    assert drawn["stages"][2]["steps"] == {"choice": 40, "most": 40}


def test_a_recipe_of_the_bench_is_on_the_dial_of_its_stage_only() -> None:
    drawn = messages.sketch("o1", strip("act", recipes={"expert": {RECIPE: "INT8 nearly everywhere."}}))["policy"]
    last = [stage["precisions"][-1] for stage in drawn["stages"]]
    assert [entry["scheme"] for entry in last] == ["int2", RECIPE]
    assert last[1]["about"] == "INT8 nearly everywhere."


def test_a_recipe_nobody_here_knows_is_on_the_dial_and_says_so() -> None:
    drawn = messages.sketch("o1", strip("act", f"vision={RECIPE}"))["policy"]
    assert drawn["stages"][0]["precisions"][-1]["about"] == "A recipe that is not on this machine."


def test_traces_are_one_list_a_joint() -> None:
    _, played = finished("act", "", frames=70)
    sent = replay_messages.traces(played[10:])
    assert (sent["start"], sent["chunks"]) == (10, [50])
    assert np.array(sent["predicted"]).shape == (6, 60)
    assert sent["reference"][2][0] == pytest.approx(played[10].reference[2], abs=0.006)


def test_a_report_compares_an_int8_stage_with_fp32_of_the_same_run() -> None:
    run, played = finished("act", "vision=int8")
    report = replay_messages.report("id", run, played, takes_noise=False)
    vision = report["stages"]["vision"]
    assert (vision["bytes"], vision["ms"], vision["speed"]) == (350_000, 11.0, 21 / 11)
    assert [text for text, _ in vision["proof"]] == ["19/20 nodes", "1.3/1.4 MB weights", "differs from FP32 by up to 0.012", "6ab6ab6"]
    assert report["stages"]["expert"] == {"bytes": 5_200_000, "ms": 21.0, "speed": None, "proof": []}
    assert report["total"] == 32.0
    assert len(report["vsReference"]) == len(report["vsRecorded"]) == 6


def test_a_run_of_the_reference_has_no_distance_from_itself() -> None:
    run, played = finished("act", "")
    report = replay_messages.report("id", run, played, takes_noise=False)
    assert report["vsReference"] is None
    assert "reference itself" in report["words"][0]["notes"][0]


def test_a_stopped_run_says_how_far_it_came() -> None:
    run, played = finished("act", "vision=int8", frames=70)
    assert replay_messages.report("id", run, played, takes_noise=False)["how"].startswith(
        f"Stopped after 70 of {FRAMES} frames of episode 0. Open"
    )


def test_a_recording_is_sent_by_joint_with_units_and_videos() -> None:
    recording = FakeWorkbench(Path("/videos")).replay.episode(1)
    sent = replay_messages.episode(recording)["recording"]
    assert [joint["unit"] for joint in sent["joints"]] == ["°"] * 5 + ["%"]
    assert sent["joints"][0]["label"] == "shoulder pan"
    assert [camera["start"] for camera in sent["cameras"]] == [5.0, 5.0, 5.0]
    assert sent["actions"][3][7] == pytest.approx(actions(1)[7, 3], abs=0.006)


def test_no_two_messages_are_equal_because_a_page_only_hears_changes() -> None:
    assert messages.progress(Preparing("again", 0.5), "o1") != messages.progress(Preparing("again", 0.5), "o1")


@pytest.mark.parametrize(("variant", "compared"), [("expert=int8", True), ("expert=int8,steps=2", False)])
def test_fewer_denoising_steps_are_not_sold_as_int8_speed(variant: str, compared: bool) -> None:
    run, played = finished("smolvla", variant)
    assert (replay_messages.report("id", run, played, takes_noise=True)["stages"]["expert"]["speed"] is not None) == compared
