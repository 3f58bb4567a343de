"""Work in another process reports, fails and stops as if it were in this one."""

import os
import time
from pathlib import Path

import pytest

from tests.workbench import work
from vla_demo.core.errors import ParityError, VlaDemoError
from vla_demo.workbench.child import in_child
from vla_demo.workbench.progress import Preparing


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_progress_arrives_and_prints_do_not_disturb_it(tmp_path: Path) -> None:
    arguments = {"source": "act", "out": str(tmp_path / "out"), "revision": None}
    steps = list(in_child(work.export, arguments))
    assert steps == [Preparing("cutting vision", 0.25), Preparing("proving parity", None)]
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_an_error_keeps_its_kind_and_its_words() -> None:
    with pytest.raises(ParityError, match=r"^vision is off by 0\.3$"):
        list(in_child(work.fail, {}))


def test_a_bug_brings_the_end_of_what_was_printed() -> None:
    with pytest.raises(VlaDemoError, match=r"(?s)ended with code 1.*the last words.*RuntimeError: a bug"):
        list(in_child(work.break_down, {}))


def test_closing_stops_the_work_and_leaves_nothing_behind(tmp_path: Path) -> None:
    steps = in_child(work.take_forever, {"out": str(tmp_path / "out")})
    pid = int(next(steps).text)
    assert is_running(pid) and list(tmp_path.iterdir())
    began = time.monotonic()
    steps.close()
    assert not is_running(pid) and time.monotonic() - began < 60  # of 600
    assert list(tmp_path.iterdir()) == []
