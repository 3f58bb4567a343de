"""What a screen asks for, from one object."""

from pathlib import Path

import pytest

from tests.fakes import tiny_act_package
from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import RunRequest
from vla_demo.workbench.workbench import Workbench


def test_a_workbench_lists_its_episodes_and_plays_one(episodes_folder: Path) -> None:
    workbench = Workbench.over(episodes_folder)
    assert [card.index for card in workbench.replay.episodes()] == [0, 1] and workbench.policies.fps() == 30
    folders = workbench.folders()
    assert all(any(folder in c.file.parents for folder in folders) for c in workbench.replay.episode(0).cameras)
    assert next(iter(workbench.policies.bundled())) == "act"


def test_a_run_needs_a_prepared_package(episodes_folder: Path, tmp_path: Path) -> None:
    workbench, source = Workbench.over(episodes_folder), str(tmp_path / "package")
    package = tiny_act_package(Path(source))
    request = RunRequest(source, Variant.reference(package.spec), episode=1)
    with pytest.raises(InvalidInput, match="has not been prepared"):
        workbench.replay.run(request)
    assert list(workbench.policies.open_package(source)) == [package]
    assert sum(isinstance(step, ReplayStep) for step in workbench.replay.run(request).steps()) == 20


def test_only_a_checkpoint_on_this_machine_has_a_sketch(tmp_path: Path) -> None:
    package = tiny_act_package(tmp_path / "package")
    assert Workbench.over().policies.sketch(str(package.folder)) is None  # it is prepared already
    assert Workbench.over().policies.sketch("someone/policy") is None  # nothing is fetched for a picture


def test_after_warming_up_every_precision_is_there(
    episodes_folder: Path, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tiny_act_package(tmp_path / "package")
    Workbench.over(bundled={str(tmp_path / "package"): "Tiny"}).policies.warm_up()
    made = {folder.name.rpartition("-")[0] for folder in (own_cache / "quantized").iterdir()}
    assert made == {graph.sha256 for graph in package.graphs}


def test_what_cannot_be_warmed_up_is_told_and_does_not_keep_the_rest_from_it(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = tiny_act_package(tmp_path / "package")
    Workbench.over(bundled={"not there": "Absent", str(package.folder): "Tiny"}).policies.warm_up()
    assert "not there is not prepared" in caplog.text and (own_cache / "quantized").is_dir()


def test_a_report_that_was_computed_here_is_the_one_shown_next(episodes_folder: Path, tmp_path: Path) -> None:
    workbench, source = Workbench.over(episodes_folder), str(tmp_path / "package")
    tiny_act_package(Path(source))
    assert workbench.sensitivity.report(source) is None
    *progress, report = workbench.sensitivity.compute(source)
    assert isinstance(report, SensitivityReport) and all(isinstance(step, Preparing) for step in progress)
    assert workbench.sensitivity.report(source) is report


def test_a_computation_that_is_closed_leaves_no_report(episodes_folder: Path, tmp_path: Path) -> None:
    workbench, source = Workbench.over(episodes_folder), str(tmp_path / "package")
    tiny_act_package(Path(source))
    computing = workbench.sensitivity.compute(source)
    next(computing)
    computing.close()
    assert workbench.sensitivity.report(source) is None and list(computing) == []
