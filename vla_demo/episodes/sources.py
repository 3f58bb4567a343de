"""Where a dataset's files come from: a folder, or a Hub repository of which only the files asked for are fetched.

It knows names of files, not what is in them.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vla_demo.core.errors import InvalidInput, MissingPiece, UnknownEpisode
from vla_demo.core.extras import install
from vla_demo.episodes.layout import INFO_FILE

__all__ = ["SourceFiles", "files_of"]

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class SourceFiles(Protocol):
    """A dataset's files by their path inside it."""

    @property
    def folder(self) -> Path:
        """Where `meta/` lies, complete."""
        ...

    def file(self, path: str) -> Path:
        """The file itself, fetched when need be. Raises `InvalidInput` when the dataset lacks it."""
        ...


@dataclass(frozen=True, slots=True)
class FolderFiles:
    folder: Path

    def file(self, path: str) -> Path:
        file = self.folder / path
        if not file.is_file():
            raise InvalidInput(f"{self.folder} lacks {path}, which its own meta/ names")
        return file


@dataclass(frozen=True, slots=True)
class HubFiles:
    """One commit of a Hub dataset: `meta/` is there, the rest is fetched file by file."""

    repo: str
    folder: Path  # snapshot; its name is the commit

    def file(self, path: str) -> Path:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.repo, path, repo_type="dataset", revision=self.folder.name))
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise InvalidInput(f"{path} of {self.repo} cannot be fetched: {_first_line(error)}") from error


def files_of(source: str | Path, revision: str | None = None) -> SourceFiles:
    """`source` is a folder or a Hub id `owner/name`; a folder wins. Raises `UnknownEpisode` when it is neither."""
    folder = Path(source).expanduser()
    if (folder / INFO_FILE).is_file():
        return FolderFiles(folder)
    if folder.exists():
        raise UnknownEpisode(f"{folder} is not a LeRobot dataset: it has no {INFO_FILE}")
    if not HUB_ID.fullmatch(str(source)):
        raise UnknownEpisode(f"there is no dataset {source}; give a LeRobot v3 folder or a Hub id like lerobot/svla_so101_pickplace")
    return _hub_files(str(source), revision)


def _hub_files(repo: str, revision: str | None) -> HubFiles:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise MissingPiece(f"datasets from the Hub need huggingface-hub: {install('app')}") from error
    try:
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=["meta/**"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownEpisode(f"the Hub dataset {repo} cannot be fetched: {_first_line(error)}") from error
    if not (folder / INFO_FILE).is_file():
        raise UnknownEpisode(f"the Hub dataset {repo} is not a LeRobot v3 dataset: it has no {INFO_FILE}")
    return HubFiles(repo, folder)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
