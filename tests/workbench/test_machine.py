"""The machine in words, wherever the words come from."""

import os
from pathlib import Path

import pytest

from vla_demo.core import processor
from vla_demo.workbench.machine import machine


@pytest.fixture(autouse=True)
def forgotten() -> None:
    machine.cache_clear()


def test_the_processor_is_named_with_its_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Cortex of a test\nflags\t: x\n")
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    assert machine().startswith("Cortex of a test, ") and machine().endswith(f"of {os.cpu_count()} cores")


def test_a_processor_without_a_name_still_has_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "absent")
    assert len(machine().split(",")[0]) > 1
