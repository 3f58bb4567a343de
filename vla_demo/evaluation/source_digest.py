"""What code a module can reach, as a short digest for each room: a change of its logic shows, one of comments, docstrings or layout not.

Works on the files alone: nothing is imported to find out.
"""

import ast
import hashlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import vla_demo

__all__ = ["reached_modules", "source_digests"]

_DIGITS = 12


@cache
def source_digests(module: str, package: Path = Path(vla_demo.__file__).parent) -> Mapping[str, str]:
    """Room -> digest over the modules of `package` that `module` imports, itself included, at once or later, and the data beside them.

    `module` is a dotted name such as `vla_demo.workbench.rollout.worker`. Imports for type checkers alone do not count. The same files
    have other digests under another version of Python, whose syntax trees are written differently.
    """
    reached = reached_modules(module, package)
    contents = {file.relative_to(package): _logic(file.read_text(encoding="utf-8")) for file in reached.values()}
    contents |= {file.relative_to(package): _data(file) for folder in {f.parent for f in reached.values()} for file in _beside(folder)}
    rooms: dict[str, hashlib._Hash] = {}
    for name in sorted(contents):
        room = rooms.setdefault(name.parts[0] if len(name.parts) > 1 else package.name, hashlib.sha256())
        room.update(f"{name.as_posix()}\0{hashlib.sha256(contents[name]).hexdigest()}\0".encode())
    return {room: digest.hexdigest()[:_DIGITS] for room, digest in sorted(rooms.items())}


def reached_modules(module: str, package: Path) -> dict[str, Path]:
    """Name -> file of all modules of `package` that importing and using `module` can run."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _file(name, package)
        if file is None or name in found:
            continue
        found[name] = file
        parent = name.rpartition(".")[0]
        waiting += [parent, *_imports(ast.parse(file.read_text(encoding="utf-8")), name if file.name == "__init__.py" else parent)]
    return found


def _file(name: str, package: Path) -> Path | None:
    """None for what is no module of the package: another library's, or a name inside a module."""
    root, *parts = name.split(".")
    if root != package.name:
        return None
    place = package.joinpath(*parts)
    candidates = (place.with_suffix(".py"), place / "__init__.py") if parts else (place / "__init__.py",)
    return next((file for file in candidates if file.is_file()), None)


def _imports(node: ast.AST, folder: str) -> Iterator[str]:
    """Every name that may be a module; `folder` is the package that relative imports start from."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = folder.split(".")[: len(folder.split(".")) - node.level + 1] if node.level else []
        origin = ".".join([*above, *filter(None, [node.module])])
        yield from (origin, *(f"{origin}.{alias.name}" for alias in node.names))
    elif not (isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")):
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, folder)


def _logic(source: str) -> bytes:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree).encode()


def _beside(folder: Path) -> Iterator[Path]:
    """Data in the same folder, such as a scene and its textures."""
    return (file for file in folder.iterdir() if file.is_file() and not file.name.startswith((".", "_")) and file.suffix not in _CODE)


def _data(file: Path) -> bytes:
    if file.suffix == ".xml":
        return ElementTree.canonicalize(from_file=file, strip_text=True).encode()  # without comments and layout
    return file.read_bytes()


_CODE = (".py", ".pyi", ".pyc")
