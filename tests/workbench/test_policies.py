"""Whatever names a policy ends in a package: read, exported once, exported again when the cache is spoiled."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes import tiny_act_package
from tests.workbench import work
from vla_demo.checkpoints import folder as checkpoint_folder
from vla_demo.core.errors import CheckpointError, InvalidInput, ParityError
from vla_demo.core.package import PolicyPackage
from vla_demo.workbench import policies
from vla_demo.workbench.policies import export_policy, prepare_policy
from vla_demo.workbench.progress import Preparing


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> Path:
    """Checkpoints resolve to nothing but a hash, and the exporter writes a tiny package. Returns the file that counts exports."""
    found = SimpleNamespace(path=Path("/checkpoints/mine"), name="mine", revision="a" * 64, family="act")
    monkeypatch.setattr(checkpoint_folder, "resolve", lambda source, revision=None: found)
    monkeypatch.setattr(policies, "export_checkpoint", work.export)
    return own_cache / "packages" / "calls"


def package_of(source: str, **options: str) -> PolicyPackage:
    *progress, package = prepare_policy(source, **options)
    assert all(isinstance(step, Preparing) for step in progress)
    assert isinstance(package, PolicyPackage)
    return package


def test_an_exported_package_is_simply_read(tmp_path: Path) -> None:
    tiny_act_package(tmp_path / "package")
    assert list(prepare_policy(str(tmp_path / "package"))) == [package_of(str(tmp_path / "package"))]
    with pytest.raises(InvalidInput, match="has no revisions"):
        package_of(str(tmp_path / "package"), revision="main")


def test_a_checkpoint_is_exported_once_and_then_found(exporter: Path) -> None:
    first, second = package_of("mine"), package_of("mine")
    assert first == second and first.folder.parent == exporter.parent
    assert exporter.read_text().splitlines() == ["mine"]


def test_a_spoiled_package_in_the_cache_is_made_again(exporter: Path) -> None:
    (package_of("mine").folder / "vision.onnx").write_bytes(b"")
    package_of("mine")
    assert len(exporter.read_text().splitlines()) == 2


def test_who_waits_hears_the_progress_of_the_export_that_goes_on(exporter: Path) -> None:
    first = prepare_policy("mine")
    while "cutting vision" not in str(next(first)):
        pass
    second = prepare_policy("mine")
    next(second)
    assert next(second) == Preparing("cutting vision", 0.25)
    first.close()  # type: ignore[attr-defined]
    assert isinstance([*second][-1], PolicyPackage)


def test_two_who_ask_at_once_get_one_export(exporter: Path) -> None:
    threads = [threading.Thread(target=package_of, args=("mine",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(exporter.read_text().splitlines()) == 1


def test_a_failed_export_leaves_the_way_free(exporter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "_exported", lambda *_: (_ for _ in ()).throw(ParityError("off by 0.3")))
    for _ in range(2):  # the second would wait for ever if the first had kept its turn
        with pytest.raises(ParityError):
            package_of("mine")


def test_export_writes_where_it_is_told_and_replaces_an_older_package(tmp_path: Path, exporter: Path) -> None:
    for _ in range(2):
        *_, package = export_policy("mine", tmp_path / "out")
        assert isinstance(package, PolicyPackage) and package.folder == tmp_path / "out"


def test_an_unknown_policy_is_refused_with_what_would_be_valid() -> None:
    with pytest.raises(CheckpointError, match="act and smolvla"):
        list(prepare_policy("no such thing"))
