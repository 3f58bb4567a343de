"""A Hub dataset is one commit of which only the files asked for are touched. The Hub here is a cache on disk, offline."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(recorded: Path, tmp_path: Path) -> Path:
    """A Hub cache that holds `me/teabag`, as `huggingface_hub` lays it out."""
    repo = tmp_path / "hub" / "datasets--me--teabag"
    shutil.copytree(recorded, repo / "snapshots" / COMMIT)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return tmp_path


def asked_of(hub: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HOME": str(hub), "HF_HUB_CACHE": str(hub / "hub"), "HF_HUB_OFFLINE": "1"}
    code = f"from vla_demo.episodes import open_dataset; dataset = open_dataset('me/teabag'); {code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


def test_a_hub_id_is_opened_like_a_folder(hub: Path) -> None:
    run = asked_of(hub, "print(dataset.name, len(dataset.episodes), dataset.episode(1).frame(3).observation.images['top'].shape)")
    assert run.stdout.strip() == "me/teabag 2 (48, 64, 3)", run.stderr


def test_files_come_from_the_commit_that_was_opened(hub: Path) -> None:
    run = asked_of(hub, "print(dataset.video_file(0, 'top').file)")
    assert f"snapshots/{COMMIT}/videos" in run.stdout


def test_the_list_of_episodes_needs_no_video(hub: Path) -> None:
    shutil.rmtree(hub / "hub" / "datasets--me--teabag" / "snapshots" / COMMIT / "videos")
    run = asked_of(hub, "print(dataset.episodes[0].cluster); dataset.episode(0)")
    assert run.stdout.strip() == "6"
    assert "InvalidInput: videos/" in run.stderr and "cannot be fetched" in run.stderr
