"""What is imported is declared, what is declared is imported, and an extra alone suffices for the files that it promises."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.tiny_packages import tiny_act_package

ROOT = Path(__file__).parents[2]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
OWN = {"vla_demo", "tests", "recipes"}
MODULES = {  # where a module is not called as its distribution
    "grpcio": "grpc",
    "protobuf": "google",
    "pillow": "PIL",
    "pyopengl": "OpenGL",
    "huggingface-hub": "huggingface_hub",
    "pytest-xdist": "xdist",
}

# What must run with the base dependencies and these extras: patterns below vla_demo/, one with a "-" in front takes files out again.
LIGHT_EPISODES = ["episodes/*.py", "-episodes/recording.py"]  # the one file that writes with LeRobot itself
PROMISED: Mapping[tuple[str, ...], Sequence[str]] = {
    (): ["*.py", "core/**/*.py", "runtime/**/*.py", "evaluation/**/*.py", "cli/**/*.py"],
    ("board",): ["board/**/*.py", "-board/so101_arm.py", "workbench/robot/serve_board.py"],
    ("board", "robot"): ["board/**/*.py"],
    ("record",): [*LIGHT_EPISODES, "-episodes/sources.py"],  # a board fetches nothing from the Hub
    ("twin",): ["twin/**/*.py"],
    ("app",): ["ui/**/*.py", "workbench/**/*.py", "quantization/**/*.py", *LIGHT_EPISODES, "checkpoints/folder.py"],
    ("export",): ["export/**/*.py", "checkpoints/**/*.py", "quantization/**/*.py", "episodes/**/*.py"],
}
NOT_IMPORTED = {  # declared although none of the promised files imports them, because
    ("export", "onnxscript"): "torch.onnx writes graphs with it",
    ("export", "torchvision"): "LeRobot builds its vision backbones with it; the version must fit that of torch",
}


def imported_roots(source: str) -> Iterator[str]:
    """Top-level names, those of imports inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def imports_in(files: Sequence[Path]) -> dict[str, set[str]]:
    """Library -> files that import it."""
    found: dict[str, set[str]] = {}
    for file in files:
        for name in set(imported_roots(file.read_text())) - sys.stdlib_module_names - OWN:
            found.setdefault(name, set()).add(file.name)
    return found


def modules_of(requirements: Sequence[str]) -> set[str]:
    names = [re.split(r"[^\w-]", requirement)[0] for requirement in requirements]
    return {MODULES.get(name, name) for name in names}


def declared(*extras: str) -> set[str]:
    """Modules of the base dependencies and of some extras."""
    project = PROJECT["project"]
    return modules_of([*project["dependencies"], *(d for extra in extras for d in project["optional-dependencies"][extra])])


def promised(patterns: Sequence[str], folder: Path = ROOT / "vla_demo") -> list[Path]:
    files: set[Path] = set()
    for pattern in patterns:
        found = set(folder.glob(pattern.removeprefix("-")))
        assert found, f"{pattern} means no file"
        files = files - found if pattern.startswith("-") else files | found
    return sorted(files)


def undeclared(files: Sequence[Path], there: set[str]) -> dict[str, set[str]]:
    return {library: users for library, users in imports_in(files).items() if library not in there}


def unused(requirements: Sequence[str], files: Sequence[Path], extra: str = "") -> list[str]:
    libraries = imports_in(files)
    excused = {name for of, name in NOT_IMPORTED if of == extra}
    return [name for name in sorted(modules_of(requirements)) if name not in libraries and name not in excused]


@pytest.mark.parametrize(("extras", "patterns"), PROMISED.items(), ids=str)
def test_an_extra_declares_what_its_files_import_even_late(extras: tuple[str, ...], patterns: Sequence[str]) -> None:
    assert undeclared(promised(patterns), declared(*extras)) == {}


def test_every_file_is_promised_by_an_extra() -> None:
    every = set(promised(["**/*.py"])) - set(promised(["board/link_pb2.py"]))
    assert every - {file for patterns in PROMISED.values() for file in promised(patterns)} == set()


@pytest.mark.parametrize("extra", PROJECT["project"]["optional-dependencies"])
def test_an_extra_declares_nothing_that_its_files_do_not_import(extra: str) -> None:
    files = [file for extras, patterns in PROMISED.items() if extra in extras for file in promised(patterns)]
    assert unused(PROJECT["project"]["optional-dependencies"][extra], files, extra) == []


def test_the_base_is_what_a_board_imports() -> None:
    assert unused(PROJECT["project"]["dependencies"], promised(PROMISED[()])) == []


def test_tests_and_recipes_import_what_a_clone_installs() -> None:
    files = [file for place in ("tests", "recipes", "docs") for file in (ROOT / place).rglob("*.py")]
    beside = {file.stem for file in files}  # recipes are scripts that import each other by name
    clone = declared(*PROJECT["project"]["optional-dependencies"]) | modules_of(PROJECT["dependency-groups"]["dev"])
    assert undeclared(files, clone | beside) == {}


def test_an_undeclared_import_and_an_unused_library_are_found(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text("import numpy\ndef late():\n    from scipy.linalg import expm\n")
    files = promised(["*.py"], tmp_path)
    assert undeclared(files, declared()) == {"scipy": {"room.py"}}
    assert unused(["numpy>=2", "pillow>=11", "scipy"], files) == ["PIL"]


WITH = """
import sys
class OnlyWhatTheExtraBrings:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, OnlyWhatTheExtraBrings())
"""


def brought_by(*extras: str) -> set[str]:
    """Distributions that an installation with these extras has, by the metadata of those that are here."""
    project = PROJECT["project"]
    waiting = [*project["dependencies"], *(d for extra in extras for d in project["optional-dependencies"][extra])]
    found: set[str] = set()
    seen: set[str] = set()
    while waiting:
        text = waiting.pop()
        requirement = Requirement(text)
        key = f"{requirement.name.lower().replace('_', '-')}[{','.join(sorted(requirement.extras))}]"
        if key in seen:
            continue
        seen.add(key)
        found.add(requirement.name.lower().replace("_", "-"))
        try:
            more = requires(requirement.name) or []
        except PackageNotFoundError:  # of another platform or Python
            continue
        environments = [{"extra": extra} for extra in ("", *requirement.extras)]
        waiting += [r for r in more if (m := Requirement(r).marker) is None or any(m.evaluate(e) for e in environments)]
    return found


def run_with(extras: Sequence[str], code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where every library that these extras do not bring is absent."""
    there = brought_by(*extras)
    absent = {m for m, owners in packages_distributions().items() if not any(o.lower().replace("_", "-") in there for o in owners)}
    program = WITH.format(absent=absent - OWN) + code
    return subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


EVERY_MODULE = """
import importlib, pkgutil, vla_demo.{0} as room
for module in pkgutil.walk_packages(room.__path__, "vla_demo.{0}."):
    importlib.import_module(module.name)
"""
REPLAY = (
    "from vla_demo.__main__ import main\nsys.exit(main(['replay', sys.argv[1], '--dataset', sys.argv[2], '--variant', 'vision=int8']))\n"
)


def test_app_alone_opens_the_page_and_replays_an_exported_package(tmp_path: Path, episodes_folder: Path, own_cache: Path) -> None:
    package = tiny_act_package(tmp_path / "package").folder
    result = run_with(["app"], EVERY_MODULE.format("ui") + REPLAY, str(package), str(episodes_folder))
    assert result.returncode == 0, result.stderr
    assert "vision=int8" in result.stdout


@pytest.mark.parametrize(
    ("extras", "rooms"),
    [(("board",), ["board"]), (("twin",), ["twin"]), (("record",), ["episodes"]), (("export",), ["export", "checkpoints"])],
)
def test_an_extra_alone_opens_its_rooms(extras: Sequence[str], rooms: Sequence[str]) -> None:
    result = run_with(extras, "".join(EVERY_MODULE.format(room) for room in rooms))
    assert result.returncode == 0, result.stderr


def test_what_an_extra_does_not_bring_is_absent_there() -> None:
    assert "No module named 'torch'" in run_with(["app"], "import torch").stderr
    assert "No module named 'gradio'" in run_with(["export", "board"], "import gradio").stderr
