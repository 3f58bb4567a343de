"""What a board measured during a task becomes a latency for the closed loop: the newest of each checkpoint, board and variant."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.board.boards import swinging_package
from tests.fakes import act_spec
from tests.ui.fake_robot import FACTS, FakeBoard, FakeRobot
from vla_demo.board.view import RobotView
from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.variant import Variant
from vla_demo.workbench.robot.latencies import BoardTimes, board_latencies, board_latency
from vla_demo.workbench.rollout.run import resolve_latency

SPEC = act_spec()
FP32, INT8 = Variant.reference(SPEC), Variant.parse("vision=int8,expert=int8", SPEC)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def still() -> RobotView:
    return FakeRobot(FakeBoard(), "me").watch()


def task(times: BoardTimes, still: RobotView, variant: Variant, *seconds: float) -> None:
    """One that ran and ended."""
    stages = {"vision": 80.0, "expert": 120.0}
    for count in range(1, len(seconds) + 1):
        times.follow(replace(still, state="running", variant=str(variant), inference=seconds[:count], stage_ms=stages))
    times.follow(replace(still, state="stopped"))


def test_a_task_leaves_the_median_its_count_and_the_stages(still: RobotView) -> None:
    times = BoardTimes(FACTS)
    times.loaded(SPEC, INT8)
    task(times, still, INT8, 0.2, 0.4, 0.3)
    found = board_latency(FACTS.name, SPEC, INT8)
    assert (found.seconds, found.kind) == (pytest.approx(0.3), "board")
    for told in (FACTS.name, "3 inferences", "vision 80 ms, expert 120 ms"):
        assert told in found.about


def test_the_newest_of_each_variant_counts(still: RobotView) -> None:
    times = BoardTimes(FACTS)
    for variant, seconds in ((FP32, 0.5), (INT8, 0.2), (FP32, 0.6)):
        times.loaded(SPEC, variant)
        task(times, still, variant, seconds)
    assert {row.variant: row.seconds for row in board_latencies(SPEC)} == {str(FP32): 0.6, str(INT8): 0.2}
    assert board_latencies(replace(SPEC, revision="another")) == ()


def test_a_task_that_was_stopped_at_once_does_not_take_the_place_of_a_longer_one(still: RobotView) -> None:
    times = BoardTimes(FACTS)
    times.loaded(SPEC, FP32)
    for seconds in ([0.3], [0.5] * 6, [0.9] * 2):
        task(times, still, FP32, *seconds)
    assert [row.seconds for row in board_latencies(SPEC)] == [0.5]
    task(times, still, FP32, *[0.6] * 5)
    assert [row.seconds for row in board_latencies(SPEC)] == [0.6]


def test_what_another_screen_loaded_or_nobody_ran_is_not_kept(still: RobotView) -> None:
    times = BoardTimes(FACTS)
    task(times, still, FP32, 0.5)
    times.loaded(SPEC, FP32)
    task(times, still, INT8, 0.5)
    times.follow(replace(still, state="ready", variant=str(FP32)))
    assert board_latencies(SPEC) == ()


def test_a_task_whose_link_breaks_is_kept_too(still: RobotView) -> None:
    times = BoardTimes(FACTS)
    times.loaded(SPEC, FP32)
    times.follow(replace(still, state="running", variant=str(FP32), inference=(0.5,), stage_ms={"vision": 500.0}))
    times.ended()
    assert [row.seconds for row in board_latencies(SPEC)] == [0.5]


def test_the_command_line_names_a_board_and_hears_which_there_are(still: RobotView, tmp_path: Path) -> None:
    package = swinging_package(tmp_path / "package")
    fp32, other = Variant.reference(package.spec), Variant.of(package.spec, {package.spec.stages[0].role: "int8"})
    with pytest.raises(InvalidInput, match="run a task on a board"):
        resolve_latency("board:lab", package, fp32)
    times = BoardTimes(replace(FACTS, name="lab"))
    times.loaded(package.spec, fp32)
    task(times, still, fp32, 0.7)
    assert resolve_latency("board:lab", package, fp32).seconds == 0.7
    with pytest.raises(InvalidInput, match="lab as"):
        resolve_latency("board:lab", package, other)


def test_a_damaged_file_is_named(cache: Path) -> None:
    (cache / "robot").mkdir()
    (cache / "robot" / "latencies.jsonl").write_text("[]\n")
    with pytest.raises(VlaDemoError, match=r"latencies\.jsonl is damaged"):
        board_latencies(SPEC)
