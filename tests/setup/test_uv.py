"""setup/uv runs a uv that works, else brings one. The machines are made of stand-ins: nothing is installed."""

from pathlib import Path

import pytest

from tests.setup.machine import Machine

UV = 'echo "${0#"$ROOT"/} $*"'  # says where it stands and what it was asked
BROKEN_SHIM = 'echo "no such version of Python" >&2; exit 127'
PYTHON_WITH_PIP = """
case "$*" in
  "-m pip install --quiet --user uv") echo "pip --user" >>"$ROOT/log"; mkdir -p "$HOME/.local/bin"; cp "$ROOT/uv" "$HOME/.local/bin/uv" ;;
  *) exit 1 ;;
esac
"""
PYTHON_MANAGED_BY_ITS_DISTRIBUTION = """
case "$*" in
  "-m venv "*) echo "venv" >>"$ROOT/log"; mkdir -p "$3/bin"; cp "$ROOT/private-python" "$3/bin/python" ;;
  *) echo "error: externally-managed-environment" >&2; exit 1 ;;
esac
"""
PYTHON_OF_THE_PRIVATE_ENVIRONMENT = """
test "$*" = "-m pip install --quiet uv" && cp "$ROOT/uv" "${0%/*}/uv"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine.bare(tmp_path)
    machine.add("uv", UV)
    machine.add("private-python", PYTHON_OF_THE_PRIVATE_ENVIRONMENT)
    return machine


def test_the_uv_on_path_is_used_with_the_arguments_as_given(machine: Machine) -> None:
    machine.add("bin/uv", UV)
    assert machine.run("uv", "sync", "--locked").stdout == "bin/uv sync --locked\n"


def test_a_shim_that_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.add("bin/uv", BROKEN_SHIM)
    machine.add("home/.local/bin/uv", UV)
    assert machine.run("uv", "sync").stdout == "home/.local/bin/uv sync\n"


def test_a_uv_that_only_python_knows_is_used(machine: Machine) -> None:
    machine.add("bin/python3", UV)
    assert machine.run("uv", "sync").stdout == "bin/python3 -m uv sync\n"


def test_a_missing_uv_is_installed_once_for_this_user(machine: Machine) -> None:
    machine.add("bin/python3", PYTHON_WITH_PIP)
    assert [machine.run("uv", "sync").stdout for _ in range(2)] == ["home/.local/bin/uv sync\n"] * 2
    assert machine.log == ["pip --user"]


def test_where_pip_refuses_a_private_environment_is_made_once(machine: Machine) -> None:
    machine.add("bin/python3", PYTHON_MANAGED_BY_ITS_DISTRIBUTION)
    assert [machine.run("uv", "sync").stdout for _ in range(2)] == ["clone/.uv-bootstrap/bin/uv sync\n"] * 2
    assert machine.log == ["venv"]


def test_where_nothing_helps_the_message_says_what_would(machine: Machine) -> None:
    machine.add("bin/python3", "echo no pip here >&2; exit 1")
    result = machine.run("uv", "sync")
    assert result.returncode == 1
    assert "no pip here" in result.stderr
    assert "apt-get install python3-venv" in result.stderr


def test_the_exit_status_of_uv_is_passed_on(machine: Machine) -> None:
    machine.add("bin/uv", 'test "$1" = --version')
    assert machine.run("uv", "sync").returncode == 1
