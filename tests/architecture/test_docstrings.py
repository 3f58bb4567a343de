"""Whoever calls a public function knows the shapes of its arrays without reading its body: its docstring gives them."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARRAYS = frozenset({"NDArray", "ndarray", "Tensor"})
_AXIS = r"(?:\.\.\.|\w[\w */+-]*)"
_SIZE = r"(?:\.\.\.|[A-Z\d][\w */+-]*|[nhw])"  # at least one axis looks like a size, which units as in `(m, rad)` do not
SHAPE = re.compile(
    rf"\((?:{_AXIS}, )*{_SIZE}(?:, {_AXIS})+\)"  # (T, J), (n, 3, H, W), (..., J)
    rf"|\((?:{_AXIS}, )+{_SIZE}\)"  # (calls, K)
    r"|\([\w +*-]+,\)"  # (N,), (length,)
    r"|\bscalars?\b|\bany shape\b|\bthe shapes\b|\b[Aa]s `[\w.]+`(?! does)"  # not "raises as `measure` does"
)


@dataclass(frozen=True, slots=True)
class Described:
    """One function or field whose annotations mention an array."""

    where: str
    words: str

    @property
    def has_shape(self) -> bool:
        return SHAPE.search(self.words) is not None


def mentions(annotation: ast.expr | None, names: frozenset[str]) -> bool:
    """Whether an annotation names one of `names`, a quoted one included."""
    for node in ast.walk(annotation) if annotation else ():
        if isinstance(node, ast.Name) and node.id in names:
            return True
        if isinstance(node, ast.Attribute) and node.attr in names:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and mentions(_quoted(node.value), names):
            return True
    return False


def _quoted(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def aliases(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What the module calls a type: `Picture = NDArray[np.float32]`."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value):
                yield name, value
            case ast.TypeAlias(name=ast.Name(id=name), value=value):
                yield name, value


def array_names(trees: list[ast.Module]) -> frozenset[str]:
    """The array types and whatever the modules name after them, an alias of an alias included."""
    named = [alias for tree in trees for alias in aliases(tree)]
    names = ARRAYS
    while more := {name for name, value in named if name not in names and mentions(value, names)}:
        names |= more
    return names


def described(source: str, where: str, names: frozenset[str] = ARRAYS) -> list[Described]:
    """Every public function, method and field of a module that mentions an array, with the words that describe it."""
    tree, lines = ast.parse(source), comments(source)
    return [Described(f"{where}:{node.lineno} {name}", words) for name, node, words in _public(tree, lines, names)]


def comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def _public(
    parent: ast.Module | ast.ClassDef, lines: dict[int, str], names: frozenset[str], prefix: str = ""
) -> Iterator[tuple[str, ast.stmt, str]]:
    for node in parent.body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield from _public(node, lines, names, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if not name.startswith("_"):
                if any(mentions(annotation, names) for annotation in _annotations(node)):
                    yield prefix + name, node, ast.get_docstring(node) or ""
            case ast.AnnAssign(target=ast.Name(id=name)) if prefix and not name.startswith("_"):
                if mentions(node.annotation, names):
                    yield prefix + name, node, lines.get(node.end_lineno or node.lineno, "")


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr | None]:
    a = function.args
    parameters = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return [function.returns, *(parameter.annotation for parameter in parameters)]


def package() -> list[Described]:
    files = {str(p.relative_to(ROOT)): p.read_text() for p in sorted((ROOT / "vla_demo").rglob("*.py"))}
    names = array_names([ast.parse(text) for text in files.values()])
    return [found for where, text in files.items() for found in described(text, where, names)]


def without_shape(found: list[Described]) -> list[str]:
    return [d.where for d in found if not d.has_shape]


def test_every_public_array_has_its_shape_in_words() -> None:
    assert without_shape(package()) == []


PLANTED = """
from typing import Protocol
Picture = NDArray[np.uint8]
type Pictures = Mapping[str, Picture]

def silent(x: NDArray[np.float32]) -> None:
    '''Nothing about it (s, monotonic); the goal (m, rad).'''

def shaped(x: np.ndarray) -> None:
    '''Joints (J,).'''

def bare(*, picture: "Picture | None" = None) -> None: ...

def other(x: Sequence[float]) -> None: ...

def _private(x: torch.Tensor) -> None: ...

async def later(seen: int) -> list[Pictures]:
    '''Each (H, W, 3) RGB.'''

class Held:
    first: Tensor  # (N, 3)
    second: Tensor  # of what was held
    third: int
    _fourth: Tensor

    def referring(self, x: Tensor) -> None:
        '''As `Held.first`.'''

    def turned(self) -> Tensor: ...

class _Hidden:
    first: Tensor
"""


def planted() -> list[Described]:
    return described(PLANTED, "a.py", array_names([ast.parse(PLANTED)]))


def test_public_arrays_are_found_and_nothing_else() -> None:
    found = [d.where.split()[1] for d in planted()]
    assert found == ["silent", "shaped", "bare", "later", "Held.first", "Held.second", "Held.referring", "Held.turned"]


def test_a_missing_shape_is_found() -> None:
    assert [where.split()[1] for where in without_shape(planted())] == ["silent", "bare", "Held.second", "Held.turned"]


def test_aliases_of_arrays_are_arrays() -> None:
    assert array_names([ast.parse(PLANTED)]) >= {"Picture", "Pictures"}


@pytest.mark.parametrize(
    "words", ["(T, J)", "(H, W, 3)", "(N,)", "(..., J) degrees", "(n, 1, P)", "(N+1, T, A)", "a scalar", "as `measure`"]
)
def test_shapes_are_recognized(words: str) -> None:
    assert Described("a.py:1 f", f"Something, {words}, here.").has_shape


@pytest.mark.parametrize(
    "words", ["", "(s, monotonic)", "(m, rad)", "(closed)", "(height, width)", "another shape", "raises as `measure` does"]
)
def test_other_words_are_no_shape(words: str) -> None:
    assert not Described("a.py:1 f", f"Something, {words}, here.").has_shape
