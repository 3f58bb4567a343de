"""README and docs are true: the README is short, the tree is the house, and each command shown is one that the command line takes."""

import re
import shlex
from pathlib import Path

import pytest

from vla_demo.__main__ import open_page
from vla_demo.cli import parser
from vla_demo.cli.board import parser as board_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
SET_UP = (ROOT / "docs" / "board.md").read_text()
BOARD_COMMAND = r"^vla-board (.*?)\s*(?:#.*)?$"
MOST_LINES = 110
READMES = [
    README,
    *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))),
    *(path.read_text() for path in sorted((ROOT / "recipes").rglob("README.md"))),
]


def tree_in(page: str) -> str:
    return page.partition("\n```\napp.py")[2].partition("```")[0]


def rooms_in(readme: str) -> set[str]:
    """What the tree draws below vla_demo/."""
    return set(re.findall(r"^  (\w+(?:/|\.py))\s", tree_in(readme), flags=re.MULTILINE))


def folders_in(readme: str) -> set[str]:
    """What the tree draws beside vla_demo/, and vla_demo/ itself."""
    return set(re.findall(r"^(\w+)/", tree_in(readme), flags=re.MULTILINE))


def commands_in(readme: str) -> list[str]:
    """Without a comment, and without the shell's own `> file`."""
    return re.findall(r"^(?:uv run )?vla-demo (.*?)\s*(?:> \S+\s*)?(?:#.*)?$", readme, flags=re.MULTILINE)


def lines_over(page: str) -> int:
    return max(0, len(page.splitlines()) - MOST_LINES)


def test_the_readme_is_short() -> None:
    assert lines_over(README) == 0


def test_a_long_readme_is_found() -> None:
    assert lines_over("a line\n" * 111) == 1


def test_the_tree_draws_every_room_and_no_other() -> None:
    package = [path for path in (ROOT / "vla_demo").iterdir() if path.name not in {"__init__.py", "__pycache__"}]
    assert rooms_in(ARCHITECTURE) == {f"{path.name}/" if path.is_dir() else path.name for path in package}


def test_the_folders_that_the_tree_draws_are_there() -> None:
    assert folders_in(ARCHITECTURE) >= {"vla_demo", "assets", "tests"}
    assert [name for name in folders_in(ARCHITECTURE) if not (ROOT / name).is_dir()] == []


def test_a_tree_is_read_line_by_line() -> None:
    readme = "```sh\nmake\n```\n```\napp.py  the page\nvla_demo/\n  core/   nouns\n  cli.py  faces\ntests/  all\n```\nassets/ elsewhere"
    assert rooms_in(readme) == {"core/", "cli.py"}
    assert folders_in(readme) == {"vla_demo", "tests"}


@pytest.mark.parametrize("command", [command for readme in READMES for command in commands_in(readme)])
def test_a_command_shown_is_a_command_taken(command: str) -> None:
    if command != "--help":
        assert parser(open_page).parse_args(shlex.split(command)).verb


@pytest.mark.parametrize("command", re.findall(BOARD_COMMAND, README + SET_UP, flags=re.MULTILINE))
def test_a_command_of_the_board_shown_is_a_command_taken(command: str) -> None:
    assert board_parser().parse_args(shlex.split(command)).verb


def test_the_service_starts_the_board_with_options_that_it_takes() -> None:
    """With the settings that the page about boards shows."""
    settings = dict(re.findall(r"^(ROBOT|LISTEN)=(.*)$", SET_UP, flags=re.MULTILINE))
    unit = (ROOT / "setup" / "vla-board.service").read_text().replace("\\\n", " ")
    (command,) = re.findall(r"^ExecStart=\S*/vla-board (.*)$", unit, flags=re.MULTILINE)
    given = command.replace("$ROBOT", settings["ROBOT"]).replace("${LISTEN}", settings["LISTEN"])
    assert board_parser().parse_args(shlex.split(given)).robot == "so101"


def test_a_command_that_is_not_taken_is_noticed() -> None:
    (command,) = commands_in("text\nuv run vla-demo replay act --no-such-option   # a comment\n")
    with pytest.raises(SystemExit):
        parser(open_page).parse_args(shlex.split(command))


def missing_files(page: str) -> list[str]:
    """Files that a page names in backquotes, in the repository, the package or the page's scripts, and that are not there."""
    places = (ROOT, ROOT / "vla_demo", ROOT / "vla_demo" / "ui" / "page")
    named = re.findall(r"`([\w./-]+/[\w./-]+\.(?:py|js|md|json))`", page)
    return [name for name in named if not any((place / name).exists() for place in places)]


def test_the_files_that_the_architecture_names_are_there() -> None:
    assert missing_files(ARCHITECTURE) == []


def test_a_file_that_is_not_there_is_found() -> None:
    assert missing_files("`runtime/policy.py` and `runtime/nothing.py`") == ["runtime/nothing.py"]
