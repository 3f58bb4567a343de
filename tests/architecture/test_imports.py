"""What an import costs: each question is asked of a fresh interpreter, because this one has long imported everything."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "lerobot", "transformers", "mujoco"}
WIDGETS = {"gradio", "plotly"}
# What a board does not have: everything that is not a base dependency.
NOT_ON_A_BOARD = HEAVY | WIDGETS | {"av", "pyarrow", "onnx", "onnxscript"}

REPORT = "; import sys; print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'vla_demo'})"
EVERY_MODULE = (
    "import importlib, pkgutil, {package} as p; [importlib.import_module(m.name) for m in pkgutil.walk_packages(p.__path__, '{package}.')]"
)
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def loaded_by(code: str) -> set[str]:
    """Top-level names of the third-party packages that are loaded after `code` ran."""
    result = python(code + REPORT)
    assert result.returncode == 0, result.stderr
    baseline = python("pass" + REPORT)  # what the interpreter's site brings along
    return set(result.stdout.split()) - set(baseline.stdout.split())


def loaded_by_every_module_of(package: str) -> set[str]:
    return loaded_by(EVERY_MODULE.format(package=package))


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_by("import vla_demo") == set()


def test_the_nouns_of_the_core_need_numpy_and_nothing_else() -> None:
    assert loaded_by_every_module_of("vla_demo.core") == {"numpy"}


def test_the_probe_sees_what_an_import_brings() -> None:
    assert loaded_by("import numpy") == {"numpy"}


def test_the_runtime_loads_nothing_that_a_board_does_not_have() -> None:
    assert not loaded_by_every_module_of("vla_demo.runtime") & NOT_ON_A_BOARD


PROGRAM_OF_A_BOARD = ["vla_demo.cli.board", "vla_demo.workbench.robot.serve_board"]


@pytest.mark.parametrize(
    "code", [EVERY_MODULE.format(package="vla_demo.board"), f"import {', '.join(PROGRAM_OF_A_BOARD)}, vla_demo.board.server"]
)
def test_the_program_of_a_board_loads_nothing_that_a_board_does_not_have(code: str) -> None:
    loaded = loaded_by(code)
    assert not loaded & NOT_ON_A_BOARD and "grpc" in loaded


@pytest.mark.parametrize("module", PROGRAM_OF_A_BOARD)
def test_the_program_of_a_board_begins_with_numpy_alone(module: str) -> None:
    """So that it can say which piece is missing: the link, the twin or the arm."""
    assert loaded_by(f"import {module}") <= {"numpy"}


def test_the_command_line_loads_nothing_that_a_board_does_not_have() -> None:
    assert not loaded_by("import vla_demo.__main__") & NOT_ON_A_BOARD


@pytest.mark.parametrize("room", ["quantization", "evaluation", "workbench"])
def test_a_room_that_is_opened_early_loads_no_heavy_library_and_no_widget(room: str) -> None:
    assert not loaded_by_every_module_of(f"vla_demo.{room}") & (HEAVY | WIDGETS)


def test_the_page_is_built_without_any_heavy_library() -> None:
    assert not loaded_by_every_module_of("vla_demo.ui") & HEAVY


def test_help_is_printed_where_only_the_base_dependencies_are_installed() -> None:
    result = python(WITHOUT.format(absent=NOT_ON_A_BOARD) + "from vla_demo.__main__ import main\nmain(['--help'])")
    assert result.returncode == 0, result.stderr
    assert "usage" in result.stdout.lower()


def test_an_absent_library_is_absent_in_that_check() -> None:
    result = python(WITHOUT.format(absent={"numpy"}) + "import numpy")
    assert "No module named 'numpy'" in result.stderr
