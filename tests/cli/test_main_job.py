"""The main job with nothing replaced: a checkpoint in, a proven package, a replay of one of its variants."""

import json
from pathlib import Path

import pytest

from vla_demo.__main__ import main
from vla_demo.cli.tables import package_table
from vla_demo.runtime import read_manifest


@pytest.mark.usefixtures("own_cache")
def test_a_checkpoint_becomes_a_package_and_the_package_a_replay(
    act_checkpoint: Path, episodes_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "package"
    assert main(["export", str(act_checkpoint), "--out", str(package), "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert exported["family"] == "act" and exported["parity"]["observations"] >= 20
    proof = f"max error {exported['parity']['max_error']:.1e} of at most 1e-04 standard deviations"
    assert proof in package_table(read_manifest(package))  # what it prints without --json
    assert main(["replay", str(package), "--dataset", str(episodes_folder), "--variant", "vision=int8", "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["frames"] == 20 and 0 < replayed["vs_reference"]["max_abs_std"] < 1
    assert replayed["stage_bytes"]["vision"] < next(g["size_bytes"] for g in exported["graphs"] if g["role"] == "vision")
