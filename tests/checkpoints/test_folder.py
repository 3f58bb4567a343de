"""A checkpoint is found by name, folder or Hub id; the Hub here is a small server on the loopback."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny_checkpoints import edit_json
from vla_demo.checkpoints.folder import BUNDLED, resolve
from vla_demo.core.errors import CheckpointError, InvalidInput, MissingPiece
from vla_demo.core.extras import install

COMMIT = "0123456789abcdef0123456789abcdef01234567"
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


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_name_means_the_bundled_checkpoint(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = request.getfixturevalue(f"{name}_checkpoint")
    monkeypatch.setattr("vla_demo.checkpoints.folder._BUNDLED_HOME", folder.parent)
    assert (resolve(name).path, resolve(name).name) == (folder, name)
    monkeypatch.setattr("vla_demo.checkpoints.folder._BUNDLED_HOME", folder / "nowhere")
    with pytest.raises(CheckpointError, match="a clone of the project has it"):
        resolve(name)


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hub as a download needs: the list of files at a commit, and the files."""

    root: Path
    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, with_body: bool) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        self.asked.append(self.path)
        if parts[:2] == ["api", "models"] and parts[2] == "someone" and (self.root / parts[3]).is_dir() and "unknown" not in parts:
            answer = self._files(parts[3]) if "tree" in parts else self._info(parts[3])
            return self._send(json.dumps(answer).encode(), with_body)
        if len(parts) > 4 and parts[2] == "resolve" and parts[3] == COMMIT:
            return self._send((self.root / parts[1] / "/".join(parts[4:])).read_bytes(), with_body)
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        return None

    def _files(self, name: str) -> list[dict[str, object]]:
        files = sorted(p.relative_to(self.root / name) for p in (self.root / name).rglob("*") if p.is_file())
        return [{"type": "file", "oid": "b", "path": f.as_posix(), "size": (self.root / name / f).stat().st_size} for f in files]

    def _info(self, name: str) -> dict[str, object]:
        siblings = [{"rfilename": f["path"], "size": f["size"], "blobId": "b"} for f in self._files(name)]
        return {"id": f"someone/{name}", "sha": COMMIT, "siblings": siblings, "private": False, "tags": [], "downloads": 0, "likes": 0}

    def _send(self, body: bytes, with_body: bool) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), "ETag": f'"{hash(body):x}"', "X-Repo-Commit": COMMIT}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@pytest.fixture(scope="module")
def hub(smolvla_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[http.server.ThreadingHTTPServer]:
    root = tmp_path_factory.mktemp("hub")
    good = shutil.copytree(smolvla_checkpoint, root / "good")
    (good / "extra.py").write_text("print('never fetched')")
    (good / "optimizer.pt").write_bytes(b"never fetched")
    pickled = shutil.copytree(smolvla_checkpoint, root / "pickled")
    (pickled / "model.safetensors").rename(pickled / "model.bin")
    handler = type("Handler", (Hub,), {"root": root, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def fetch(hub: http.server.ThreadingHTTPServer, home: Path, *arguments: str, offline: bool = False) -> str:
    environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(home)}
    environment |= {"HF_HUB_OFFLINE": "1" if offline else "0", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    run = subprocess.run([sys.executable, "-c", FETCH, *arguments], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_only_the_files_of_a_checkpoint_come_from_the_hub_at_one_commit(hub: http.server.ThreadingHTTPServer, tmp_path: Path) -> None:
    name, revision, family, *files = fetch(hub, tmp_path, "someone/good").split()
    assert (name, revision, family) == ("someone/good", COMMIT, "smolvla")
    assert {"config.json", "model.safetensors", "vlm", "joints.json"} <= set(files)
    assert not {"extra.py", "optimizer.pt", "README.md"} & set(files)
    asked = hub.RequestHandlerClass.asked  # type: ignore[attr-defined]
    assert not [path for path in asked if "extra.py" in path or "optimizer.pt" in path]
    assert fetch(hub, tmp_path, "someone/good", offline=True).split()[:2] == ["someone/good", COMMIT]


def test_a_hub_checkpoint_with_pickled_weights_is_refused_before_a_byte_is_fetched(
    hub: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    answer = fetch(hub, tmp_path, "someone/pickled")
    assert answer.startswith("CheckpointError") and "model.bin, a pickle" in answer
    asked = hub.RequestHandlerClass.asked  # type: ignore[attr-defined]
    assert not [path for path in asked if "/pickled/resolve/" in path]


def test_what_the_hub_does_not_have_is_an_error_that_names_it(hub: http.server.ThreadingHTTPServer, tmp_path: Path) -> None:
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
