"""The machine in words, wherever the words come from."""

import os
from pathlib import Path

import pytest

from vla_demo.core import processor
from vla_demo.core.processor import this_processor
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


def test_the_instructions_that_compute_are_told_from_the_other_flags(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("model name\t: A\nflags\t: sse2 smep avx2 avx512_vnni ht\n\nmodel name\t: B\nflags\t: avx\n")
    found = this_processor(tmp_path / "cpuinfo")
    assert (found.name, found.instructions, found.has_vnni) == ("A", ("avx2", "avx512_vnni"), True)
    (tmp_path / "cpuinfo").write_text("Features\t: fp asimd asimddp sve sme\n")
    arm = this_processor(tmp_path / "cpuinfo")
    assert (arm.instructions, arm.has_vnni) == (("asimd", "asimddp", "sme", "sve"), False)
