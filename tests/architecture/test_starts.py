"""What starts a module in another process names the module itself, so that the import contracts see it; a string would go around them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = re.compile(r"\bvla_demo\.[a-z_]+(?:\.[a-z_]+)*")
GENERATED = {"board/link_pb2.py"}  # the link's own package is called vla_demo.board.v1
ALLOWED = {"runtime/graph_store.py": {"vla_demo.quantization.prepare_variant"}}  # told to a person, and never imported


def modules_in_strings(source: str) -> set[str]:
    """Modules that string literals name, docstrings aside."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    prose = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)}
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in prose]
    return {name for text in texts for name in MODULE.findall(text)}


def imports_by_name(source: str) -> bool:
    """Whether it imports what it computed the name of."""
    return bool(re.search(r"\b(?:import_module|__import__|runpy)\b", source))


def sources() -> dict[str, str]:
    folder = ROOT / "vla_demo"
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}
    return {name: text for name, text in files.items() if name not in GENERATED}


def test_no_string_names_a_module() -> None:
    found = {name: modules_in_strings(text) for name, text in sources().items()}
    assert {name: modules for name, modules in found.items() if modules} == ALLOWED


def test_one_module_alone_imports_by_a_name_and_that_name_comes_from_a_function() -> None:
    assert [name for name, text in sources().items() if imports_by_name(text)] == ["workbench/child.py"]


@pytest.mark.parametrize(
    "line",
    [
        'PROGRAM = "import sys; from vla_demo.cli.board import main; sys.exit(main())"',
        'def start():\n    """Docstrings may."""\n    run("vla_demo.ui.server:serve")',
        'command = ["python", "-m", f"vla_demo.cli.{verb}"]',
    ],
)
def test_a_module_in_a_string_is_found(line: str) -> None:
    assert modules_in_strings(line)


def test_prose_and_a_distribution_are_no_modules() -> None:
    assert modules_in_strings('"""As `vla_demo.ui.server` does."""\nprint("vla-demo app", "vla_demo", f"{vla_demo.__version__}")') == set()


def test_an_import_by_a_computed_name_is_found() -> None:
    assert imports_by_name("importlib.import_module(name)") and not imports_by_name("import importlib.metadata")
