"""`vla-demo trap`: tables for people, one document for programs, a clear line for what cannot be read."""

import json
from pathlib import Path

import pytest

from tests.fakes import tiny_smolvla_package
from vla_demo.__main__ import main
from vla_demo.evaluation.sensitivity import SensitivityReport

pytestmark = pytest.mark.usefixtures("own_cache")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def command(tmp_path: Path, episodes_folder: Path) -> list[str]:
    package = tiny_smolvla_package(tmp_path / "package").folder
    return ["trap", str(package), "--dataset", str(episodes_folder), "--observations-per-episode", "1"]


def test_json_stands_alone_and_is_what_is_written(command: list[str], tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "trap.json"
    assert main([*command, "--episodes", "0-1", "--variant", "expert=int8", "--steps", "1,4", "--json", "--out", str(out)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(out.read_text())
    assert SensitivityReport.read(out.read_text()).n_observations == document["n_observations"] == 2
    assert set(document["per_iteration"]["int8"]) >= {"teacher_forced", "free_running", "sqnr_db"}
    assert {"amplification", "two_by_two", "steps", "sensitivity"} <= set(document)
    assert set(document["sensitivity"][0]["error"]) == {"mean", "low", "high"}
    assert {"onnxruntime", "numpy"} <= set(document["computed"]["fingerprint"]["libraries"])


def test_a_table_for_people(command: list[str], capsys: Captured) -> None:
    assert main([*command, "--variant", "expert=int8", "--variant", "vision=int8,llm=int8,expert=int8", "--steps", "1,2"]) == 0
    table = capsys.readouterr().out
    for words in (
        "not distinguishable",
        "teacher-forced",
        "prefix",
        "solver",
        "W8A8",
        "bootstrap over episodes",
        "2 observations",
        "fingerprint: ",
    ):
        assert words in table


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (["--episodes", "0,9"], "has no episode 9"),
        (["--variant", "brain=int8"], "has no stage brain"),
        (["--steps", "0"], "valid: 1 to 100"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_code_2(command: list[str], capsys: Captured, wrong: list[str], complaint: str) -> None:
    assert main([*command, *wrong]) == 2
    said = capsys.readouterr()
    assert said.out == "" and complaint in said.err.splitlines()[-1]


@pytest.mark.parametrize("episodes", ["one", "5-1", "1,,2", "-1", "0-99999999"])
def test_episodes_that_cannot_be_read_are_explained(command: list[str], capsys: Captured, episodes: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*command, f"--episodes={episodes}"])
    assert exit_.value.code == 2 and "numbers are written like 0,1,5-9" in capsys.readouterr().err
