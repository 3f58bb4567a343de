"""No test rests on a guess of how quick a machine is: time passes in `tests/waiting.py`, where each way of waiting has a name."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import scope_of
from tests.lateness import Witness, worst_lateness
from tests.waiting import look_on, stall, wait_until

TESTS = Path(__file__).parents[1]
ALLOWED = {"waiting.py", "lateness.py"}
BARE_SLEEP = re.compile(r"\btime\.sleep\(|\bfrom time import [^\n]*\bsleep\b|\.wait_for_timeout\(")


def bare_sleeps(text: str) -> list[str]:
    return BARE_SLEEP.findall(text)


def test_nothing_in_the_tests_sleeps_by_itself() -> None:
    found = {str(path.relative_to(TESTS)): bare_sleeps(path.read_text()) for path in TESTS.rglob("*.py") if path.name not in ALLOWED}
    assert {name: sleeps for name, sleeps in found.items() if sleeps} == {}


@pytest.mark.parametrize("line", ["time." + "sleep(1)", "from time " + "import monotonic, sleep", "page." + "wait_for_timeout(300)"])
def test_a_bare_sleep_is_found(line: str) -> None:
    assert bare_sleeps(f"def test_x():\n    {line}\n")


def test_a_fake_clock_that_is_slept_on_is_none() -> None:
    assert not bare_sleeps("clock.sleep_until(3.0); def sleep(self): ...")


def test_what_never_happens_is_named() -> None:
    with pytest.raises(AssertionError, match="the bag in the mug did not happen"):
        wait_until(lambda: False, 0.05, "the bag in the mug")
    wait_until(lambda: True, 0.0)


def test_the_witness_notices_a_machine_that_does_not_wake_it() -> None:
    witness = Witness()
    try:
        look_on(0.3)  # until it runs
        stopped = time.monotonic()
        witness.process.send_signal(signal.SIGSTOP)
        stall(0.3)
        witness.process.send_signal(signal.SIGCONT)
        wait_until(lambda: witness.allowance(stopped) > 0.5, what="the witness saying so")
    finally:
        witness.close()


def test_only_what_was_late_afterwards_counts() -> None:
    assert worst_lateness([(1.0, 0.9), (2.0, 0.1), (3.0, 0.3), (4.0, 0.2)], since=1.5) == 0.3
    assert worst_lateness([(1.0, 0.9)], since=1.5) == 0.0


def moves_an_arm(text: str) -> bool:
    return bool(re.search(r"\b(?:board_process|LiveTwin|SimulatedBoard)\(", text))


def test_tests_that_move_an_arm_in_real_time_share_a_process() -> None:
    files = [path for path in TESTS.rglob("test_*.py") if moves_an_arm(path.read_text()) and path != Path(__file__)]
    assert len(files) > 5
    assert {scope_of(str(path.relative_to(TESTS.parent))) for path in files} == {"real time"}


def test_a_board_beside_another_would_be_noticed() -> None:
    assert moves_an_arm("with board_process(tmp_path) as process:") and not moves_an_arm("board: BoardProcess")
    assert scope_of("tests/core/test_policy.py") == "tests/core/test_policy.py"
