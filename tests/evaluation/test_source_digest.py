"""The code behind a number: its logic decides the digest, and nothing else does."""

import shutil
from pathlib import Path

import pytest

from vla_demo.evaluation.source_digest import reached_modules, source_digests

FILES = {
    "__init__.py": "",
    "floor/__init__.py": "",
    "floor/body.py": '"""A body."""\nfrom house.floor.rules import step\n\ndef act(x):\n    """Says what."""\n    return step(x) + 1\n',
    "floor/rules.py": "def step(x):\n    from .late import scale\n    return scale * x\n",
    "floor/late.py": "scale = 2\n",
    "floor/scene.xml": "<scene>\n  <!-- a desk -->\n  <desk size='1'/>\n</scene>\n",
    "floor/apart.py": "unused = 1\n",
    "attic/__init__.py": "",
    "attic/types.py": "kind = 1\n",
    "attic/user.py": "from typing import TYPE_CHECKING\nimport house.floor.body\nif TYPE_CHECKING:\n    import house.attic.types\n",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "house" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "house" / name).write_text(text)
    return tmp_path / "house"


def digests(house: Path, tmp_path: Path, **changed: tuple[str, str, str]) -> dict[str, str]:
    """Of a copy, because digests are kept; each change is (file, old text, new text)."""
    copy = shutil.copytree(house, tmp_path / f"copy-{len(list(tmp_path.iterdir()))}" / "house")
    for file, old, new in changed.values():
        text = (copy / file).read_text()
        assert old in text
        (copy / file).write_text(text.replace(old, new))
    return dict(source_digests("house.attic.user", copy))


def test_what_is_imported_at_once_or_later_counts_and_what_is_for_type_checkers_does_not(house: Path) -> None:
    found = reached_modules("house.attic.user", house)
    assert set(found) == {
        "house",
        "house.attic",
        "house.attic.user",
        "house.floor",
        *(f"house.floor.{m}" for m in ("body", "rules", "late")),
    }


@pytest.mark.parametrize(
    "change",
    [
        ("floor/body.py", "+ 1", "+ 2"),
        ("floor/late.py", "2", "3"),
        ("floor/scene.xml", "size='1'", "size='2'"),
        ("floor/rules.py", "scale * x", "x * scale"),
    ],
)
def test_a_change_of_logic_or_data_changes_its_room_s_digest(house: Path, tmp_path: Path, change: tuple[str, str, str]) -> None:
    before, after = digests(house, tmp_path), digests(house, tmp_path, change=change)
    assert before["floor"] != after["floor"] and before["attic"] == after["attic"]


@pytest.mark.parametrize(
    "change",
    [
        ("floor/body.py", "A body.", "Some other body."),
        ("floor/body.py", "Says what.", "Says it otherwise."),
        ("floor/body.py", "return step(x) + 1", "return (  # why\n        step(x) + 1\n    )"),
        ("floor/scene.xml", "  <!-- a desk -->\n", ""),
        ("floor/apart.py", "1", "2"),
        ("attic/types.py", "1", "2"),
    ],
)
def test_comments_docstrings_layout_and_unreached_code_change_nothing(house: Path, tmp_path: Path, change: tuple[str, str, str]) -> None:
    assert digests(house, tmp_path) == digests(house, tmp_path, change=change)


def test_a_rollout_s_code_reaches_all_that_decides_it() -> None:
    rooms = source_digests("vla_demo.workbench.rollout.worker")
    assert set(rooms) == {"vla_demo", "core", "runtime", "evaluation", "twin", "workbench"}  # no more: each would void kept rollouts
    package = Path(__file__).parents[2] / "vla_demo"
    decide = ("twin.world", "twin.starts", "twin.body", "runtime.control_loop", "runtime.action_queue", "runtime.continuation")
    decide += ("runtime.preprocessing", "runtime.pictures", "runtime.policy", "evaluation.closed_loop", "evaluation.attempts")
    reached = reached_modules("vla_demo.workbench.rollout.worker", package).keys()
    assert {f"vla_demo.{name}" for name in decide} <= reached
    assert "vla_demo.evaluation.rollout_report" not in reached  # what is said of rollouts decides none
