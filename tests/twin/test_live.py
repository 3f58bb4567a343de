"""The twin as a robot in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.twin_log import read_log
from tests.waiting import look_on, wait_until
from vla_demo.core.errors import InvalidInput
from vla_demo.twin.desk_messages import DeskSettings
from vla_demo.twin.live import LiveTwin

ROOT = Path(__file__).parents[2]
OUTLIVING = """
import sys
from vla_demo.twin.desk_messages import DeskSettings
from vla_demo.twin.live import LiveTwin
if __name__ == "__main__":
    twin = LiveTwin(DeskSettings(image_size=(24, 32), log=sys.argv[1], outlive=1.5))
    goal = twin.measure()[1].copy()
    goal[0] += 20
    twin.send(goal)
    print("sent", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveTwin]:
    live = LiveTwin(DeskSettings(image_size=(24, 32), log=str(tmp_path_factory.mktemp("desk") / "log")))
    yield live
    live.close()


def test_it_goes_where_it_is_sent_by_itself_and_stays(twin: LiveTwin) -> None:
    goal = twin.measure()[1].copy()
    goal[0] += 10
    twin.send(goal)
    wait_until(lambda: abs(twin.measure()[1][0] - goal[0]) < 1, what="the pose it was sent to")
    look_on(0.5)
    reached = time.monotonic()
    wait_until(lambda: twin.measure()[0] > reached, what="a new measurement")
    assert twin.measure()[1][0] == pytest.approx(goal[0], abs=1)


def test_pictures_go_on_coming_with_the_time_they_were_taken(twin: LiveTwin) -> None:
    first = twin.observe()
    assert set(first.images) == {"top", "gripper", "left"} and first.images["top"].shape == (24, 32, 3)
    wait_until(lambda: twin.observe().captured_at > first.captured_at)


def test_the_desk_is_rearranged_and_an_unknown_start_is_refused(twin: LiveTwin) -> None:
    before = twin.observe().images["top"]
    twin.rearrange("validation:3")
    wait_until(lambda: bool(np.abs(twin.observe().images["top"].astype(int) - before).max() > 30), what="another desk in the picture")
    with pytest.raises(InvalidInput, match="validation:0 to validation:9"):
        twin.rearrange("validation:10")


def test_a_start_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput, match="a start is written like test:0"):
        LiveTwin(DeskSettings(start="nowhere:0"))


def test_when_its_program_is_killed_the_arm_goes_to_its_last_goal_and_holds(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = subprocess.Popen(
        [sys.executable, "-c", OUTLIVING, str(log)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None and program.stdout.readline() == "sent\n"
    os.kill(program.pid, signal.SIGKILL)
    killed = time.monotonic()
    program.wait()
    wait_until(lambda: time.monotonic() > read_log(log)[-1, 0] + 1, what="the desk's end")
    rows = read_log(log)
    assert killed + 1 < rows[-1, 0] < killed + 5  # it outlived its program, and not for long
    np.testing.assert_allclose(rows[-1, 1:7], rows[-1, 7:13], atol=1)
    assert np.abs(np.diff(rows[-15:, 1:7], axis=0)).max() < 0.01
