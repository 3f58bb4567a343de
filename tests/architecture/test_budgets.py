"""The budgets of the house, counted from the syntax tree: short files, short functions. Complexity and arguments are ruff's."""

import ast
import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 60
MAX_MEDIAN_LINES = 10
SHORT_FUNCTION_LINES = 30
MIN_SHARE_OF_SHORT = 0.9


@dataclass(frozen=True, slots=True)
class Function:
    where: str
    lines: int  # from `def` to its last line; decorators are not counted


def sources() -> list[Path]:
    return [ROOT / "app.py", *(ROOT / "vla_demo").rglob("*.py"), *(ROOT / "recipes").rglob("*.py")]


def functions(source: str, name: str) -> list[Function]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [Function(f"{name}:{f.lineno} {f.name}", (f.end_lineno or f.lineno) - f.lineno + 1) for f in found]


def all_functions() -> list[Function]:
    return [f for path in sources() for f in functions(path.read_text(), str(path.relative_to(ROOT)))]


def too_long(files: dict[str, str]) -> list[str]:
    return [f"{name}: {n} lines" for name, text in files.items() if (n := len(text.splitlines())) > MAX_FILE_LINES]


def function_faults(found: list[Function]) -> list[str]:
    """What breaks the budget, in words; nothing when it is kept."""
    lines = [f.lines for f in found]
    faults = [f"{f.where}: {f.lines} lines" for f in found if f.lines > MAX_FUNCTION_LINES]
    if statistics.median(lines) > MAX_MEDIAN_LINES:
        faults.append(f"the median function has {statistics.median(lines)} lines")
    short = sum(n <= SHORT_FUNCTION_LINES for n in lines) / len(lines)
    if short < MIN_SHARE_OF_SHORT:
        faults.append(f"only {short:.0%} of the functions have at most {SHORT_FUNCTION_LINES} lines")
    return faults


def test_no_file_is_longer_than_its_budget() -> None:
    assert too_long({str(path.relative_to(ROOT)): path.read_text() for path in sources()}) == []


def test_functions_are_short() -> None:
    assert function_faults(all_functions()) == []


def test_a_long_file_is_found() -> None:
    assert too_long({"fits.py": "x\n" * 250, "long.py": "x\n" * 251}) == ["long.py: 251 lines"]


def test_functions_are_counted_wherever_they_stand() -> None:
    source = "@decorated\ndef outer():\n    async def inner():\n        return 1\n    return inner\n"
    assert functions(source, "a.py") == [Function("a.py:2 outer", 4), Function("a.py:3 inner", 2)]


@pytest.mark.parametrize(
    ("lengths", "fault"),
    [
        ([5] * 20 + [61], "a.py: 61 lines"),
        ([11] * 20, "the median function has 11"),
        ([5] * 17 + [31] * 3, "only 85% of the functions"),
    ],
)
def test_each_function_budget_can_be_missed(lengths: list[int], fault: str) -> None:
    faults = function_faults([Function("a.py", n) for n in lengths])
    assert len(faults) == 1
    assert fault in faults[0]


def test_functions_at_the_limit_are_within_budget() -> None:
    assert function_faults([Function("a.py", n) for n in [10] * 18 + [60] * 2]) == []
