"""The command line: JSON alone on standard output, one clear line for an error, nothing half-written after Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package
from tests.workbench import work
from vla_demo.__main__ import main
from vla_demo.workbench import policies

pytestmark = pytest.mark.usefixtures("own_cache")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def act(tmp_path: Path) -> str:
    return str(tiny_act_package(tmp_path / "package").folder)


@pytest.fixture
def on_recorded(episodes_folder: Path) -> list[str]:
    return ["--dataset", str(episodes_folder)]


def test_json_stands_alone_on_standard_output(act: str, on_recorded: list[str], capsys: Captured) -> None:
    assert main(["replay", act, *on_recorded, "--episode", "1", "--variant", "vision=int8", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["variant"], document["episode"], document["frames"]) == ("vision=int8,expert=fp32", 1, 20)
    assert set(document["vs_recorded"]) >= {"chunk_mae", "executed_mae"}
    assert document["vs_reference"]["max_abs"] > 0 and document["vs_reference"]["min_cosine"] < 1
    assert set(document["stage_ms"]["vision"]) == {"p50", "p95"} and set(document["stage_bytes"]) == {"vision", "expert"}
    assert {g["name"]: g["quantized_nodes"] > 0 for g in document["graphs"]} == {"vision": True, "transformer": False}
    assert "Vision encoder in int8" in said.err


def test_a_table_for_people(act: str, on_recorded: list[str], capsys: Captured) -> None:
    assert main(["replay", act, *on_recorded, "--variant", "expert=int8"]) == 0
    table = capsys.readouterr().out
    assert "shoulder_pan.pos" in table and "expert=int8" in table and "within tolerance" in table
    assert "measured here, wall clock, 3 chunks" in table


def test_the_reference_itself_is_called_that(act: str, on_recorded: list[str], capsys: Captured) -> None:
    assert main(["replay", act, *on_recorded]) == 0
    assert "this is the FP32 reference itself" in capsys.readouterr().out


def test_the_seed_and_the_steps_reach_the_policy(tmp_path: Path, on_recorded: list[str], capsys: Captured) -> None:
    package = str(tiny_smolvla_package(tmp_path / "vla").folder)
    traces = []
    for seed in ("1", "1", "2"):
        assert main(["replay", package, *on_recorded, "--variant", "steps=2", "--seed", seed, "--json"]) == 0
        traces.append(json.loads(capsys.readouterr().out)["vs_recorded"]["executed_mae"])
    assert traces[0] == traces[1] != traces[2]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (["--episode", "9"], "has no episode 9; it has 0-1"),
        (["--variant", "eyes=int8"], "has no stage eyes; its stages are vision, expert"),
        (["--variant", "vision=int3"], "valid: fp32, fp16, int8"),
        (["--horizon", "99"], "horizon 99 is out of range"),
        (["--revision", "main"], "has no revisions"),
        (["--dataset", "/nowhere"], "there is no dataset /nowhere"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_code_2(
    act: str, on_recorded: list[str], capsys: Captured, wrong: list[str], complaint: str
) -> None:
    assert main(["replay", act, *on_recorded, *wrong, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and complaint in said.err.splitlines()[-1]


@pytest.mark.parametrize("variant", ["vision=int3", "steps=0", "eyes=int8"])
def test_a_wrong_variant_is_refused_before_anything_is_exported(
    on_recorded: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    monkeypatch.setattr(policies, "prepare_policy", lambda *_: pytest.fail("it began to prepare"))
    assert main(["replay", "smolvla", *on_recorded, "--variant", variant]) == 2
    assert "valid" in capsys.readouterr().err or variant.startswith("eyes")


def test_an_unknown_policy_says_what_would_be_one(on_recorded: list[str], capsys: Captured) -> None:
    assert main(["replay", "nonsense", *on_recorded]) == 2
    assert "act and smolvla" in capsys.readouterr().err


def test_export_prints_the_package(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "export_checkpoint", work.export)
    out = tmp_path / "packages" / "mine"
    out.parent.mkdir()
    assert main(["export", "mine", "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["package"] == str(out) and [g["name"] for g in document["graphs"]] == ["vision", "transformer"]
    assert document["package_bytes"] == sum(file.stat().st_size for file in out.glob("*.onnx"))
    assert "cutting vision" in said.err
    assert main(["export", "mine", "--out", str(out)]) == 0
    assert "transformer" in capsys.readouterr().out


def test_ctrl_c_ends_an_export_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "packages" / "mine"
    out.parent.mkdir()
    code = (
        "import sys; from tests.workbench import work; from vla_demo.workbench import policies;"
        "policies.export_checkpoint = work.begin_and_wait;"
        f"from vla_demo.__main__ import main; sys.exit(main(['export', 'mine', '--out', {str(out)!r}]))"
    )
    program = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert program.stderr is not None
    assert program.stderr.readline() == "begun\n" and list(out.parent.iterdir())
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to the export as well
    assert program.wait(20) == 130
    assert list(out.parent.iterdir()) == []


def test_recording_the_twin_makes_a_dataset(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    import vla_demo.twin.demonstrations
    from vla_demo.twin import starts

    one = list(starts.split_starts("validation"))[:1]
    monkeypatch.setattr(starts, "split_starts", lambda split: iter(one))
    monkeypatch.setattr(vla_demo.twin.demonstrations, "split_starts", lambda split: iter(one))
    monkeypatch.setattr("vla_demo.workbench.twin_recording.PICTURE", (48, 64))
    assert main(["twin", "record", "--out", str(tmp_path / "data"), "--split", "validation"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith(" frames, episodes: 1\n") and "validation, cluster 6" in said.err
    assert json.loads((tmp_path / "data" / "meta" / "teabag.json").read_text())["episodes"][0]["seed"] == one[0][0].number
    assert main(["twin", "record", "--out", str(tmp_path / "data")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_help_lists_the_verbs_quickly() -> None:
    began = time.monotonic()
    run = subprocess.run([sys.executable, "-m", "vla_demo", "--help"], capture_output=True, text=True, check=True)
    assert all(verb in run.stdout for verb in ("app", "replay", "export", "twin"))
    assert time.monotonic() - began < 20  # a loaded machine; torch alone would take longer


def test_the_page_is_served_with_the_dataset_that_was_asked_for(episodes_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import vla_demo.ui.server

    served = []
    monkeypatch.setattr(vla_demo.ui.server, "serve", lambda workbench, host, port: served.append((workbench.replay.folders(), host, port)))
    assert main(["app", "--dataset", str(episodes_folder), "--port", "7999"]) == 0
    assert served == [([episodes_folder], "127.0.0.1", 7999)]
