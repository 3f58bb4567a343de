"""What a clone brings: no trace of a developer's machine, nothing too big to push, no test that skips, no drawer for everything."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_BYTES = 50_000_000
MAX_DEMO_BYTES = 100_000_000
# Written in pieces, so that this file does not hold what it looks for.
HOMES = "|".join(["/" + "root/", "/" + "work/", "/" + r"home/[a-z_][\w.-]*/", "/" + r"Users/\w+/", r"[A-Z]:\\" + r"Users\\"])
# A folder or module of such a name is where rules of a room go to hide.
NO_NOUNS = {"utils", "util", "helpers", "common", "misc"}
SKIPS = re.compile(r"pytest\.(?:skip|importorskip|xfail|mark\.(?:skip|skipif|xfail))\b")
MACHINE_PATH = re.compile(rf"(?<![\w.])(?:{HOMES})")


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """The file's text; nothing for a picture, a video or weights, whose bytes can spell anything."""
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode(errors="ignore")


def machine_paths(text: str) -> list[str]:
    return [match.group() for match in MACHINE_PATH.finditer(text)]


def without_a_noun(names: Iterable[str]) -> list[str]:
    return [name for name in names if NO_NOUNS & {part.partition(".")[0] for part in Path(name).parts}]


def too_big(sizes: Mapping[str, int]) -> list[str]:
    """What is over the limits, in words: a single file, or the bundled demo as a whole."""
    faults = [f"{name}: {size / 1e6:.0f} MB" for name, size in sizes.items() if size > MAX_FILE_BYTES]
    demo = sum(size for name, size in sizes.items() if name.startswith("assets/demo/"))
    return faults + ([f"assets/demo: {demo / 1e6:.0f} MB"] if demo > MAX_DEMO_BYTES else [])


def test_no_tracked_file_names_a_path_of_a_developers_machine() -> None:
    found = {str(path.relative_to(ROOT)): machine_paths(text_of(path)) for path in tracked()}
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize("path", ["/" + "home/ada/checkpoints", "cd /" + "root/vla", "'/" + "work/main'", "C:" + "\\Users\\ada"])
def test_a_machine_path_is_found(path: str) -> None:
    assert machine_paths(path)


def test_a_relative_path_or_an_address_is_no_machine_path() -> None:
    assert machine_paths("see docs/" + "work/notes.md, https://example.org/at/" + "work/now and ~/.cache/vla-demo") == []


def test_every_folder_and_module_is_named_for_what_it_is() -> None:
    assert without_a_noun(str(path.relative_to(ROOT)) for path in tracked()) == []


def test_a_drawer_for_everything_is_noticed() -> None:
    assert without_a_noun(["vla_demo/core/utils.py", "tests/helpers/x.py", "vla_demo/core/units.py"]) == [
        "vla_demo/core/utils.py",
        "tests/helpers/x.py",
    ]


def test_a_missing_piece_fails_a_test_and_never_skips_it() -> None:
    tests = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    assert tests
    assert [path.name for path in tests if SKIPS.search(path.read_text())] == []


def test_a_skip_is_found() -> None:
    assert SKIPS.search("@pytest." + "mark.skipif(no_browser)")
    assert SKIPS.search("gl = pytest." + "importorskip('mujoco')")


def test_nothing_tracked_is_too_big_to_push_and_the_demo_stays_small() -> None:
    assert too_big({str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}) == []


def test_a_big_file_and_a_big_demo_are_found() -> None:
    sizes = {"assets/demo/a": 50_000_001, "assets/demo/b": 49_999_999, "assets/demo/c": 1, "other": 50_000_000}
    assert too_big(sizes) == ["assets/demo/a: 50 MB", "assets/demo: 100 MB"]
