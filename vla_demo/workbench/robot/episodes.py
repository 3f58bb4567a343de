"""The episodes that a board has recorded: what there is, and how the chosen ones become one LeRobot dataset on this machine.

They lie in the cache folder: `robot/datasets/<name>`, and beside it the same as a zip. What arrives from a board is checked before it is
believed: its names stay inside a folder, its files are what their hashes say.
"""

import re
import shlex
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vla_demo.board.view import BoardEpisode, EpisodesView
from vla_demo.core.errors import BoardError, InvalidInput
from vla_demo.core.formats import in_megabytes, megabytes
from vla_demo.core.storage import cache_folder
from vla_demo.episodes.joining import join_recordings
from vla_demo.workbench.progress import Preparing

if TYPE_CHECKING:
    from vla_demo.board.episode_calls import EpisodeCalls

__all__ = ["BoardEpisodes", "DownloadedDataset", "dataset_folder"]

_ARCHIVE_LIVES = 86_400.0  # s
_EVERY = 0.25  # s between two words on how far it is


@dataclass(frozen=True, slots=True)
class DownloadedDataset:
    """On this machine."""

    folder: Path
    archive: Path  # the same as a zip
    episodes: int
    frames: int
    size_bytes: int

    @property
    def opens_with(self) -> str:
        """A command that replays a policy over it."""
        return f"vla-demo replay act --dataset {shlex.quote(str(self.folder))} --episode 0"


def dataset_folder() -> Path:
    """Where downloaded datasets are kept; made when it is not there."""
    folder = cache_folder() / "robot" / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class BoardEpisodes:
    """Of one link. `calls` is a board client's; `check` raises when the link is closed. All raise `BoardError`."""

    def __init__(self, calls: "EpisodeCalls", robot: str, check: Callable[[], None]) -> None:
        self._calls, self._check = calls, check
        self._robot = re.sub(r"[^A-Za-z0-9]+", "-", robot).strip("-")[:40] or "robot"

    def view(self) -> EpisodesView:
        self._check()
        return self._calls.list()

    def record(self, on: bool) -> None:
        """The tasks from now on."""
        self._check()
        self._calls.record(on)

    def judge_last(self, success: bool) -> None:
        """The newest task's episode, as a person saw it end; nothing happens when it was not recorded."""
        self._check()
        view = self._calls.list()
        if view.last and not view.problem:  # else it was not kept, as the list says
            self._calls.judge(view.last, success)

    def remove(self, ids: Sequence[str]) -> None:
        """From the board, for good."""
        for one in self._chosen(ids):
            self._calls.remove(one.id)

    def download(self, ids: Sequence[str]) -> Iterator[Preparing | DownloadedDataset]:
        """Progress, then one dataset of all of them. What has arrived stays when it breaks off. Raises `InvalidInput` as well."""
        chosen = self._chosen(ids)
        arriving = [cache_folder() / "robot" / "arriving" / one.id for one in chosen]
        for number, (one, folder) in enumerate(zip(chosen, arriving, strict=True), 1):
            yield from self._fetched(one.id, folder, f"episode {number} of {len(chosen)}")
        yield Preparing("Joining the episodes into one dataset")
        name = f"{self._robot}-{time.strftime('%Y%m%d-%H%M%S')}"
        out = dataset_folder() / name
        try:
            episodes = join_recordings(arriving, out)
            _forget_archives()
            archive = _zipped(out)
        except OSError as problem:
            raise BoardError(f"the dataset cannot be written: {problem.strerror}") from problem
        for folder in arriving:
            shutil.rmtree(folder, ignore_errors=True)
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
        yield DownloadedDataset(out, archive, len(episodes), sum(episode.frames for episode in episodes), size)

    def _fetched(self, episode: str, folder: Path, which: str) -> Iterator[Preparing]:
        said = 0.0
        for have, total in self._calls.fetch(episode, folder):
            self._check()
            if time.monotonic() - said > _EVERY:
                said = time.monotonic()
                yield Preparing(f"Fetching {which}: {in_megabytes(have, 1)} of {megabytes(total)}", have / max(total, 1))

    def _chosen(self, ids: Sequence[str]) -> list[BoardEpisode]:
        there = self.view().episodes
        chosen = [one for one in there if one.id in ids]
        if not ids or len(chosen) < len(set(ids)):
            raise InvalidInput(f"{len(set(ids))} episodes were chosen, and the board has {len(chosen)} of them; choose again")
        return chosen


def _forget_archives() -> None:
    """Of earlier downloads: their datasets stay, and a zip says nothing more."""
    for archive in dataset_folder().glob("*.zip"):
        if time.time() - archive.stat().st_mtime > _ARCHIVE_LIVES:
            archive.unlink(missing_ok=True)


def _zipped(folder: Path) -> Path:
    """Stored, not compressed: video is already. Appears whole."""
    archive, partial = folder.with_name(f"{folder.name}.zip"), folder.with_name(f".{folder.name}.zip")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as out:
        for file in sorted(folder.rglob("*")):
            out.write(file, Path(folder.name) / file.relative_to(folder))
    partial.rename(archive)
    return archive
