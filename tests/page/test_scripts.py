"""The page's scripts pass their own checks, and each check can fail: lint and format (biome), types (tsc), unit tests and budgets (node).

`make check` runs the same: `npm run check`, with what `package-lock.json` pins.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "node_modules"
PAGE = Path("vla_demo/ui/page/js")
FORMAT = "shared/format.js"


@pytest.fixture(scope="module", autouse=True)
def checkers() -> None:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"the page's scripts are checked with Node.js, and {' and '.join(missing)} is not here: apt-get install nodejs npm")
    if not (MODULES / ".bin" / "tsc").exists():
        pytest.fail("the checkers of the page's scripts are not installed: make check, or npm ci")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The scripts and the settings of their checkers, to spoil."""
    for name in ("biome.json", "tsconfig.json", "package.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / PAGE, tmp_path / PAGE)
    (tmp_path / "node_modules").symlink_to(MODULES)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    tool = {"biome": MODULES / ".bin" / "biome", "tsc": MODULES / ".bin" / "tsc"}.get(command[0], command[0])
    quiet = {"NO_COLOR": "1", "FORCE_COLOR": "0"}
    return subprocess.run([tool, *command[1:]], cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **quiet})


def faults(folder: Path, *command: str) -> str:
    """What a check found, in its own words; empty when it passed."""
    done = run(folder, *command)
    return done.stdout + done.stderr if done.returncode else ""


LINT = ("biome", "check", "--error-on-warnings", str(PAGE))


def spoil(folder: Path, name: str, text: str, there: str = "") -> None:
    path = folder / PAGE / name
    path.write_text(path.read_text().replace(there, text) if there else path.read_text() + text)


def test_the_scripts_are_linted_formatted_and_typed() -> None:
    assert faults(ROOT, *LINT, "tests/page") == ""
    assert faults(ROOT, "tsc") == ""


def test_the_unit_tests_of_the_scripts_pass() -> None:
    tests = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/page").glob("*.test.js"))
    assert len(tests) >= 7
    assert faults(ROOT, "node", "--test", *tests) == ""


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("export const speed = undeclaredName + 1;\n", "noUndeclaredVariables"),
        ('import { make } from "./dom.js";\n', "noUnusedImports"),
        ("export const   badly = 'set';\n", "Formatter would have printed"),
    ],
)
def test_a_name_without_an_import_an_unused_one_and_bad_format_are_found(copy: Path, planted: str, fault: str) -> None:
    assert faults(copy, *LINT) == ""
    spoil(copy, FORMAT, planted)
    assert fault in faults(copy, *LINT)


WRONG_TYPES = [
    (FORMAT, "", "export const text = fixed('3', 1);\n", "TS2345"),
    ("replay/main.js", "recording.index", "recording.number", "TS2339"),  # not in the message
    ("replay/main.js", "{ listen, Work }", "{ listen, Works }", "TS2724"),  # not exported
]


def test_a_type_error_and_a_wrong_name_are_found(copy: Path) -> None:
    """All in one run, which takes seconds; that the scripts as they are have none is the first test."""
    for name, there, planted, _ in WRONG_TYPES:
        spoil(copy, name, planted, there)
    found = faults(copy, "tsc")
    assert [fault for *_, fault in WRONG_TYPES if fault not in found] == []


def test_a_unit_test_that_fails_is_seen(tmp_path: Path) -> None:
    (tmp_path / "wrong.test.js").write_text('require("node:test").test("one", () => { throw new Error("planted"); });\n')
    assert "planted" in faults(tmp_path, "node", "--test", "wrong.test.js")
