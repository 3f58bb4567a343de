"""A checkpoint is found by name, folder or Hub id; the Hub here is a small server on the loopback."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_double import COMMIT, HubDouble, hub_double
from tests.tiny_checkpoints import edit_json
from vla_demo.checkpoints.folder import resolve
from vla_demo.core.demo import ASSETS_VARIABLE, DEMO_POLICIES
from vla_demo.core.errors import CheckpointError, InvalidInput, MissingPiece
from vla_demo.core.extras import install

FETCH = """
import sys
from vla_demo.checkpoints import resolve
from vla_demo.core.errors import VlaDemoError
try:
    found = resolve(*sys.argv[1:])
    print(found.name, found.revision, found.family, *sorted(p.name for p in found.path.iterdir()))
except VlaDemoError as error:
    print(type(error).__name__, error)
"""


def test_a_folder_is_named_after_itself_and_its_content(act_checkpoint: Path, tmp_path: Path) -> None:
    found = resolve(str(act_checkpoint))
    assert (found.path, found.name, found.family, len(found.revision)) == (act_checkpoint, "act", "act", 64)
    copy = shutil.copytree(act_checkpoint, tmp_path / "other")
    assert resolve(str(copy)).revision == found.revision
    edit_json(copy / "config.json", {"n_action_steps": 3})
    assert resolve(str(copy)).revision != found.revision


def test_the_folder_of_lerobots_trainer_holds_the_policy_one_level_down(act_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(act_checkpoint, tmp_path / "last" / "pretrained_model")
    assert resolve(str(tmp_path / "last")).path == tmp_path / "last" / "pretrained_model"


def test_what_is_no_checkpoint_is_refused_with_what_would_be(tmp_path: Path) -> None:
    for source in ("nothing", str(tmp_path / "nowhere"), "a/b/c", ""):
        with pytest.raises(CheckpointError):
            resolve(source)
    with pytest.raises(CheckpointError, match=r"bundled act and smolvla, a folder with .*, or a Hub id"):
        resolve("nothing")
    with pytest.raises(CheckpointError, match=r"lacks config\.json"):
        resolve(str(tmp_path))


def test_a_revision_of_a_folder_is_refused(act_checkpoint: Path) -> None:
    with pytest.raises(InvalidInput, match="no revisions"):
        resolve(str(act_checkpoint), "main")


@pytest.mark.parametrize("name", DEMO_POLICIES)
def test_a_bundled_name_means_the_demos_checkpoint(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "episodes" / "meta").mkdir(parents=True)
    (tmp_path / "episodes" / "meta" / "info.json").touch()
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    with pytest.raises(CheckpointError, match=f"checkpoints/{name} is not a LeRobot checkpoint: it lacks config.json"):
        resolve(name)
    shutil.copytree(request.getfixturevalue(f"{name}_checkpoint"), tmp_path / "checkpoints" / name)
    assert (resolve(name).path, resolve(name).name) == (tmp_path / "checkpoints" / name, name)


@pytest.fixture(scope="module")
def hub(smolvla_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubDouble]:
    root = tmp_path_factory.mktemp("hub")
    good = shutil.copytree(smolvla_checkpoint, root / "models" / "someone" / "good")
    (good / "extra.py").write_text("print('never fetched')")
    (good / "optimizer.pt").write_bytes(b"never fetched")
    pickled = shutil.copytree(smolvla_checkpoint, good.with_name("pickled"))
    (pickled / "model.safetensors").rename(pickled / "model.bin")
    with hub_double(root) as double:
        yield double


def fetch(hub: HubDouble, home: Path, *arguments: str, offline: bool = False) -> str:
    environment = os.environ | hub.environment(home, offline)
    run = subprocess.run([sys.executable, "-c", FETCH, *arguments], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_only_the_files_of_a_checkpoint_come_from_the_hub_at_one_commit(hub: HubDouble, tmp_path: Path) -> None:
    name, revision, family, *files = fetch(hub, tmp_path, "someone/good").split()
    assert (name, revision, family) == ("someone/good", COMMIT, "smolvla")
    assert {"config.json", "model.safetensors", "vlm", "joints.json"} <= set(files)
    assert not {"extra.py", "optimizer.pt", "README.md"} & set(files)
    assert not [path for path in hub.asked if "extra.py" in path or "optimizer.pt" in path]
    assert fetch(hub, tmp_path, "someone/good", offline=True).split()[:2] == ["someone/good", COMMIT]


def test_a_hub_checkpoint_with_pickled_weights_is_refused_before_a_byte_is_fetched(hub: HubDouble, tmp_path: Path) -> None:
    answer = fetch(hub, tmp_path, "someone/pickled")
    assert answer.startswith("CheckpointError") and "model.bin, a pickle" in answer
    assert not [path for path in hub.asked if "/pickled/resolve/" in path]


def test_what_the_hub_does_not_have_is_an_error_that_names_it(hub: HubDouble, tmp_path: Path) -> None:
    assert "someone/missing could not be fetched" in fetch(hub, tmp_path, "someone/missing")
    assert "someone/good at revision unknown could not be fetched" in fetch(hub, tmp_path, "someone/good", "unknown")
    assert "someone/good could not be fetched" in fetch(hub, tmp_path / "empty", "someone/good", offline=True)


@pytest.mark.parametrize(("source", "module", "extra"), [("someone/good", "huggingface_hub", "app"), ("{act}", "safetensors", "export")])
def test_a_library_that_is_not_installed_is_named_with_the_command(
    source: str, module: str, extra: str, act_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPiece, match=re.escape(install(extra))):
        resolve(source.format(act=act_checkpoint))
