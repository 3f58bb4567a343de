"""The import contracts of pyproject.toml hold, and each of them can break: a forbidden import is planted for every one."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {c["id"]: c["name"] for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]}
LINTER = Path(sys.executable).with_name("lint-imports")

PLANTED = [
    ("floors", "twin", "from vla_demo import export"),  # up
    ("floors", "evaluation", "def late():\n    import vla_demo.twin"),  # sideways, and hidden in a function
    ("floors", "ui/shared", "from vla_demo import cli"),  # sideways: only the composition root knows both faces
    ("floors", "utils", ""),  # a room nobody declared
    ("torch", "quantization", "def late():\n    import torch.nn"),
    ("torch", "twin", "from lerobot import datasets"),
    ("torch", "workbench/robot", "import transformers"),
    ("torch", "board", "from lerobot import robots"),  # only its body of the real arm may
    ("torch", "ui/shared", "import torchvision"),
    ("widgets", "workbench/robot", "import gradio as gr"),
    ("widgets", "evaluation", "import plotly.graph_objects"),
    ("mujoco", "workbench/robot", "import mujoco"),
    ("onnxruntime", "export", "import onnxruntime"),
    ("onnx", "runtime", "from onnx import helper"),
    ("link", "workbench/robot", "import grpc"),
    ("link", "runtime", "from google.protobuf import message"),
    ("floors", "board", "def late():\n    import vla_demo.twin"),
    ("tabs", "ui/robot", "from vla_demo.ui.loop import words"),  # sideways
    ("tabs", "ui/trap", "def late():\n    import vla_demo.ui.replay.link"),  # sideways, and hidden in a function
    ("tabs", "ui/compare", ""),  # a tab nobody declared
    ("wings", "workbench/replay", "from vla_demo.workbench.robot import trials"),  # only rollouts ask robots
    ("wings", "workbench/robot", "from vla_demo.workbench.sensitivity import plan"),  # sideways
    ("wings", "workbench/sweep", ""),  # a wing nobody declared
]

CIRCLES = [  # two modules, each of which imports the other: one late in a function, one for its types only; what else that breaks
    ("twin/planted", "twin/planted_too", []),  # within a room
    ("workbench/rollout/planted", "workbench/robot/planted", ["wings"]),  # between two wings
    ("workbench/progress", "workbench/robot/planted", ["wings"]),  # between a wing and a module beside it
    ("ui/trap/planted", "ui/loop/planted", ["tabs"]),  # between two tabs
]
LATE = "def late():\n    import {}\n"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {}\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to spoil."""
    shutil.copytree(ROOT / "vla_demo", tmp_path / "vla_demo", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "--no-cache", "--no-logo"], cwd=house, capture_output=True, text=True, check=False)


def broken(report: str) -> list[str]:
    return [id for id, name in CONTRACTS.items() if f"{name} BROKEN" in report]


def test_every_arrow_of_the_house_points_down_and_every_library_stays_in_its_room(house: Path) -> None:
    result = lint(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "room", "line"), PLANTED)
def test_a_planted_import_breaks_its_contract_and_no_other(house: Path, contract: str, room: str, line: str) -> None:
    (house / "vla_demo" / room).mkdir(exist_ok=True)
    (house / "vla_demo" / room / "__init__.py").touch()
    (house / "vla_demo" / room / "planted.py").write_text(f"{line}\n")
    result = lint(house)
    assert result.returncode == 1
    assert broken(result.stdout) == [contract], result.stdout


@pytest.mark.parametrize(("one", "other", "too"), CIRCLES)
def test_a_planted_circle_breaks_its_contract_and_no_other(house: Path, one: str, other: str, too: list[str]) -> None:
    for here, there, imported in ((one, other, LATE), (other, one, FOR_TYPES)):
        with (house / "vla_demo" / f"{here}.py").open("a") as module:
            module.write("\n" + imported.format(f"vla_demo/{there}".replace("/", ".")))
    result = lint(house)
    assert result.returncode == 1
    assert set(broken(result.stdout)) == {"circles", *too}, result.stdout


def test_every_contract_has_a_planted_import_that_breaks_it() -> None:
    assert {contract for contract, _, _ in PLANTED} | {"circles"} == set(CONTRACTS)


def circle_in(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules that import each other in a ring; unlike the contract it sees a package and what lies in it too."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_comes_back_to_itself() -> None:
    graph = grimp.build_graph("vla_demo", cache_dir=None)
    assert circle_in({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def test_a_package_that_imports_what_imports_it_is_a_circle() -> None:
    assert circle_in({"room": ["room.window"], "room.window": ["room.door"], "room.door": ["room"]}) != []
