"""What a module offers in `__all__` is what somebody imports; the rest of its names are its own business."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ["core", "runtime", "checkpoints", "episodes", "quantization", "twin", "board", "export", "cli"]
# Found by a name that is computed, or called from outside: verbs, programs, the modules of a family's graphs.
CALLED_OTHERWISE = {"add_to", "main", "Vision", "Prefix", "Context", "Step"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def offered(source: str) -> list[str]:
    lists = [n.value for n in ast.parse(source).body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
    return [name for value in lists for name in ast.literal_eval(value)]


def imported(source: str) -> Iterator[str]:
    """Full names: `package.module.name`, also where the module was imported and the name is an attribute of it."""
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    yield from aliases.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield f"{aliases[node.value.id]}.{node.attr}"


def unused(offers: Mapping[str, list[str]], sources: Mapping[str, str]) -> list[str]:
    """Full names that no other module imports. `offers` and `sources` are by module."""
    users: dict[str, set[str]] = {}
    for module, source in sources.items():
        for name in imported(source):
            users.setdefault(name, set()).add(module)
    names = [(module, name) for module, offered_names in offers.items() for name in offered_names if name not in CALLED_OTHERWISE]
    return [f"{module}.{name}" for module, name in names if not users.get(f"{module}.{name}", set()) - {module}]


def test_every_name_that_a_module_offers_is_imported_by_another() -> None:
    places = ("vla_demo", "tests", "recipes", "docs")
    sources = {module_of(path): path.read_text() for place in places for path in (ROOT / place).rglob("*.py")}
    offers = {module: offered(text) for module, text in sources.items() if module.startswith(tuple(f"vla_demo.{room}" for room in ROOMS))}
    assert unused(offers, sources) == []


def test_a_name_that_nobody_imports_is_found() -> None:
    sources = {"a": '__all__ = ["used", "called", "own"]\nown()', "b": "from a import used", "c": "from x import a\nimport a", "d": ""}
    assert unused({"a": offered(sources["a"])}, sources) == ["a.called", "a.own"]
    assert unused({"x.a": ["called"]}, {"b": "from x import a\na.called()"}) == []
