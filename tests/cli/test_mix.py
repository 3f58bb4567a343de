"""`vla-demo mix` and `vla-demo replay --recipe`: from a budget to a recipe to a replay of it."""

import json
from pathlib import Path

import pytest

from tests.fakes import tiny_smolvla_package
from vla_demo.__main__ import main

pytestmark = pytest.mark.usefixtures("own_cache")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return str(tiny_smolvla_package(tmp_path / "package").folder)


def test_a_found_recipe_is_replayed_from_its_file(policy: str, tmp_path: Path, episodes_folder: Path, capsys: Captured) -> None:
    file = tmp_path / "recipe.json"
    assert main(["mix", policy, "--stage", "llm", "--max-error", "100", "--out", str(file), "--json"]) == 0
    mixed = json.loads(capsys.readouterr().out)
    assert json.loads(file.read_text()) == mixed["recipe"]
    arguments = ["replay", policy, "--dataset", str(episodes_folder), "--variant", "llm=mixed", "--recipe", str(file), "--json"]
    assert main(arguments) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert mixed["variant"] in replayed["variant"]
    assert sum(graph["quantized_nodes"] for graph in replayed["graphs"]) > 0


def test_a_table_for_people(policy: str, capsys: Captured) -> None:
    assert main(["mix", policy, "--stage", "expert", "--max-bytes", "1M"]) == 0
    said = capsys.readouterr()
    assert "the layers that cost most alone" in said.out and "expert=mixed-" in said.out
    assert "Layer " in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stage", "expert", "--max-bytes", "10"], "allow that many"),
        (["--stage", "legs", "--max-error", "1"], "no stage legs"),
    ],
)
def test_what_cannot_be_is_one_clear_line(policy: str, arguments: list[str], said: str, capsys: Captured) -> None:
    assert main(["mix", policy, *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


@pytest.mark.parametrize("arguments", [["--max-error", "0"], ["--max-bytes", "0"], ["--max-error", "1", "--max-bytes", "5M"], []])
def test_a_budget_is_one_number_more_than_nothing(policy: str, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mix", policy, "--stage", "expert", *arguments])
