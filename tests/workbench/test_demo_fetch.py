"""The demo comes whole and as it was listed, from a folder or from the Hub, or it does not come at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hub_double import COMMIT, HubDouble, hub_double
from tests.waiting import wait_until
from vla_demo.core.demo import Demo, fetched_folder
from vla_demo.core.errors import InvalidInput
from vla_demo.core.storage import fingerprint
from vla_demo.workbench import demo_fetch
from vla_demo.workbench.demo_fetch import SUMS_FILE, fetch_demo
from vla_demo.workbench.progress import Preparing

SHIPPED = ROOT / "assets" / "demo"


def linked(folder: Path) -> Path:
    """The demo that ships, in links; a test that changes a file puts another in its place."""
    for file in SHIPPED.rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(SHIPPED)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    return folder


def replace(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def with_sums(folder: Path) -> Path:
    """As `sha256sum` lists them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{fingerprint([file]).sha256}  {file.relative_to(folder)}\n" for file in files]
    (folder / SUMS_FILE).write_text("".join(lines))
    return folder


@pytest.fixture
def source(tmp_path: Path, own_cache: Path) -> Path:
    return linked(tmp_path / "source")


def nothing_there() -> bool:
    return not fetched_folder().parent.exists() or list(fetched_folder().parent.iterdir()) == []


@pytest.mark.usefixtures("own_cache")
def test_a_clone_gives_all_of_its_demo_and_says_how_far_it_is() -> None:
    *steps, demo = fetch_demo(str(ROOT))
    assert demo == Demo(fetched_folder())
    content = {path.relative_to(SHIPPED): path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()}
    assert {path.relative_to(demo.folder): path.stat().st_size for path in demo.folder.rglob("*") if path.is_file()} == content
    shares = [step.fraction for step in steps if isinstance(step, Preparing) and step.fraction is not None]
    assert shares == sorted(shares) and len(shares) == len(content)


def test_files_that_are_not_the_demos_stay_where_they_are(source: Path) -> None:
    (source / ".gitattributes").touch()
    (source / "optimizer.pt").touch()
    list(fetch_demo(str(source)))
    assert {path.name for path in fetched_folder().iterdir()} == {path.name for path in SHIPPED.iterdir()}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("checkpoints/act/weights.pt", b"pickle", r"checkpoints/act/weights.pt; weights have to be safetensors"),
        ("trap/act.json", b"{}", r"is not a demo of this version: this is no trap report"),
        ("rollouts.json", b"{", r"is not a demo of this version"),
        ("episodes/meta/info.json", b"{}", r"is not a demo of this version: .*episodes"),
    ],
)
def test_what_is_no_demo_is_refused_and_leaves_nothing(source: Path, name: str, content: bytes, message: str) -> None:
    replace(source / name, content)
    with pytest.raises(InvalidInput, match=message):
        list(fetch_demo(str(source)))
    assert nothing_there()


def test_a_file_that_lacks_is_named(source: Path) -> None:
    (source / "checkpoints" / "smolvla" / "model.safetensors").unlink()
    with pytest.raises(InvalidInput, match=r"is not the demo: it lacks checkpoints/smolvla/model.safetensors; valid are a clone"):
        list(fetch_demo(str(source)))


def test_more_than_a_demo_is_refused_before_it_is_copied(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_fetch, "MAX_BYTES", 70_000_000)
    with pytest.raises(InvalidInput, match=r"has 0.1 GB; a demo has at most"):
        list(fetch_demo(str(source)))
    assert nothing_there()


def test_sums_that_hold_are_believed(source: Path) -> None:
    list(fetch_demo(str(with_sums(source))))
    assert (fetched_folder() / SUMS_FILE).is_file()


@pytest.mark.parametrize("spoil", ["altered", "unlisted", "gone"])
def test_a_file_that_is_not_as_listed_is_named(source: Path, spoil: str) -> None:
    with_sums(source)
    card = source / "checkpoints" / "act" / "README.md"
    if spoil == "unlisted":
        card = card.with_name("other.md")
    if spoil == "gone":
        card.unlink()
    else:
        replace(card, b"?")
    with pytest.raises(InvalidInput, match=rf"is not what it lists: checkpoints/act/{card.name}"):
        list(fetch_demo(str(source)))
    assert nothing_there()


def test_an_interrupted_fetch_leaves_the_older_demo(source: Path) -> None:
    list(fetch_demo(str(source)))
    replace(source / "rollouts.json", b"[]")
    steps = fetch_demo(str(source))
    assert "file 2" in [next(steps).text for _ in range(3)][-1]  # type: ignore[union-attr]
    steps.close()
    assert [path.name for path in fetched_folder().parent.iterdir()] == ["demo"]
    assert (fetched_folder() / "rollouts.json").read_bytes() == (SHIPPED / "rollouts.json").read_bytes()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubDouble]:
    root = tmp_path_factory.mktemp("hub")
    for kind in ("datasets", "models"):
        linked(root / kind / "someone" / "demo")
    pickled = linked(root / "datasets" / "someone" / "pickled")
    (pickled / "checkpoints" / "act" / "model.bin").touch()
    with hub_double(root) as double:
        yield double


def begin(hub: HubDouble, home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | hub.environment(home) | {"VLA_DEMO_CACHE": str(home / "cache")}
    command = [sys.executable, "-m", "vla_demo", "demo", "fetch", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("arguments", [["--revision", COMMIT], ["--repo-type", "model"]], ids=["dataset", "model"])
def test_the_hubs_client_brings_the_demo_at_one_commit(hub: HubDouble, tmp_path: Path, arguments: list[str]) -> None:
    hub.asked.clear()
    process = begin(hub, tmp_path, "someone/demo", *arguments)
    printed, progress = process.communicate()
    assert process.returncode == 0 and "Fetching the demo" in progress
    assert Path(printed.strip()) == tmp_path / "cache" / "demo"
    content = {path.relative_to(SHIPPED): path.read_bytes() for path in SHIPPED.rglob("*") if path.is_file()}
    assert {p.relative_to(tmp_path / "cache" / "demo"): p.read_bytes() for p in (tmp_path / "cache").rglob("*") if p.is_file()} == content
    assert all(COMMIT in path for path in hub.asked if "/resolve/" in path)


def test_a_pickle_on_the_hub_is_refused_before_a_byte_is_fetched(hub: HubDouble, tmp_path: Path) -> None:
    hub.asked.clear()
    process = begin(hub, tmp_path, "someone/pickled")
    assert "checkpoints/act/model.bin; weights have to be safetensors" in process.communicate()[1] and process.returncode == 2
    assert not [path for path in hub.asked if "/resolve/" in path]


def test_what_the_hub_does_not_have_is_said(hub: HubDouble, tmp_path: Path) -> None:
    for source, *more in (["someone/else"], ["someone/demo", "--revision", "unknown"]):
        process = begin(hub, tmp_path, source, *more)
        assert f"the dataset {source}{' at revision unknown' if more else ''} could not be found on the Hub" in process.communicate()[1]
        assert process.returncode == 2


def test_a_download_that_breaks_off_leaves_nothing(hub: HubDouble, tmp_path: Path) -> None:
    hub.broken.add("act.json")
    process = begin(hub, tmp_path, "someone/demo")
    errors = process.communicate()[1]
    hub.broken.clear()
    assert process.returncode == 2 and "trap/act.json of someone/demo could not be fetched from the Hub" in errors
    assert list((tmp_path / "cache").iterdir()) == []


def test_ctrl_c_leaves_nothing_half_written(hub: HubDouble, tmp_path: Path) -> None:
    hub.asked.clear()
    process = begin(hub, tmp_path, "someone/demo")
    wait_until(lambda: any(path.endswith("model.safetensors") for path in list(hub.asked)), what="the download's beginning")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert "interrupted" in process.communicate()[1] and process.returncode == 130
    assert list((tmp_path / "cache").iterdir()) == []
