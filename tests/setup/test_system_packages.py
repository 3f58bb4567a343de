"""setup/system-packages installs what is missing when it may, else says what to type and lets the tests speak."""

from pathlib import Path

import pytest

from tests.setup.machine import Machine

ONLY_CHROMIUM_IS_INSTALLED = """
for name; do :; done
test "$name" = chromium && echo "install ok installed"
"""
APT = 'echo "$*" >>"$ROOT/log"'
FAILING_APT = 'echo "E: Unable to locate package" >&2; exit 100'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine.bare(tmp_path)
    machine.add("bin/dpkg-query", ONLY_CHROMIUM_IS_INSTALLED)
    machine.add("bin/apt-get", APT)
    machine.add("bin/id", "echo 0")
    return machine


def test_nothing_happens_when_nothing_is_missing(machine: Machine) -> None:
    result = machine.run("system-packages", "chromium")
    assert (result.returncode, result.stderr, machine.log) == (0, "", [])


def test_root_installs_only_what_is_missing(machine: Machine) -> None:
    result = machine.run("system-packages", "chromium", "libegl1", "libgl1-mesa-dri")
    assert result.returncode == 0
    assert machine.log[-1].endswith("install -y --no-install-recommends libegl1 libgl1-mesa-dri")
    assert "Install them with" not in result.stderr


def test_sudo_that_asks_nothing_is_used(machine: Machine) -> None:
    machine.add("bin/id", "echo 1000")
    machine.add("bin/sudo", 'shift; exec "$@"')
    machine.add("bin/true", "")
    machine.run("system-packages", "libegl1")
    assert machine.log[-1].endswith("libegl1")


def test_who_may_not_install_is_told_what_to_type(machine: Machine) -> None:
    machine.add("bin/id", "echo 1000")
    machine.add("bin/sudo", "exit 1")
    result = machine.run("system-packages", "chromium", "libegl1")
    assert (result.returncode, machine.log) == (0, [])
    assert "sudo apt-get install -y --no-install-recommends libegl1\n" in result.stderr


def test_a_failed_installation_shows_its_reason_and_what_to_type(machine: Machine) -> None:
    machine.add("bin/apt-get", FAILING_APT)
    result = machine.run("system-packages", "libegl1")
    assert result.returncode == 0
    assert "E: Unable to locate package" in result.stderr
    assert "sudo apt-get install" in result.stderr


def test_a_machine_without_apt_is_told_what_the_tests_need(machine: Machine) -> None:
    (machine.root / "bin" / "apt-get").unlink()
    result = machine.run("system-packages", "chromium", "libegl1")
    assert result.returncode == 0
    assert result.stderr.endswith("chromium libegl1\n")
