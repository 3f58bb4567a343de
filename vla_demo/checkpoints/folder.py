"""Finds a checkpoint by a bundled name, a folder or a Hub id, and hands out only folders that were vetted."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.checkpoints.backbone import BACKBONE_FILES, BACKBONE_FOLDER
from vla_demo.checkpoints.layout import CONFIG_FILE, JOINTS_FILE
from vla_demo.checkpoints.vetting import REQUIRED_FILES, refuse_incomplete, vet
from vla_demo.core.demo import DEMO_POLICIES, require_demo
from vla_demo.core.errors import CheckpointError, InvalidInput, MissingPiece
from vla_demo.core.extras import install
from vla_demo.core.storage import fingerprint

__all__ = ["CheckpointFolder", "resolve"]

_HUB_FILES = (*REQUIRED_FILES, "policy_*processor_step_*.safetensors", JOINTS_FILE, *(f"{BACKBONE_FOLDER}/{f}" for f in BACKBONE_FILES))
_MAX_DOWNLOAD_BYTES = 8 << 30


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """A vetted LeRobot checkpoint on this machine."""

    path: Path
    name: str  # "act", a folder's name or a Hub id
    revision: str  # commit of a Hub checkpoint, else the sha256 of the folder's files
    family: str  # "act" | "smolvla"


def resolve(source: str, revision: str | None = None) -> CheckpointFolder:
    """A checkpoint by a bundled name ("act", "smolvla"), a folder, or a Hub id such as "user/policy" at `revision` (default: newest).

    From the Hub only the files of a checkpoint are fetched, at one commit; pickles never are. Raises `CheckpointError` for what is not
    there or not safe to open, `MissingPiece` for a bundled name without the demo, `InvalidInput` for a revision of something that is not
    on the Hub.
    """
    path = _local(source)
    if path is None and not re.fullmatch(r"[\w\-.]+/[\w\-.]+", source):
        raise CheckpointError(
            f"{source!r} is no checkpoint: valid are the bundled {' and '.join(DEMO_POLICIES)}, a folder with {', '.join(REQUIRED_FILES)}, "
            "or a Hub id such as lerobot/smolvla_base"
        )
    if path is None:
        path, commit = _download(source, revision)
        return CheckpointFolder(path, source, commit, vet(path))
    if revision is not None:
        raise InvalidInput(f"{source!r} is on this machine and has no revisions; leave the revision out")
    family = vet(path)
    name = source if source in DEMO_POLICIES else path.resolve().name
    return CheckpointFolder(path, name, fingerprint(_content(path)).sha256, family)


def _local(source: str) -> Path | None:
    if source in DEMO_POLICIES:
        return require_demo().checkpoint(source)
    path = Path(source).expanduser()
    inner = path / "pretrained_model"  # LeRobot's trainer puts the policy there, beside the optimizer's state
    return inner if (inner / CONFIG_FILE).is_file() else path if path.is_dir() else None


def _content(folder: Path) -> list[Path]:
    names = {p.relative_to(folder) for pattern in _HUB_FILES for p in folder.glob(pattern)}
    return [folder / name for name in sorted(names)]


def _download(repository: str, revision: str | None) -> tuple[Path, str]:
    """The folder in the Hub's cache and its commit."""
    try:
        from huggingface_hub import HfApi, constants, snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as problem:
        raise MissingPiece(f"checkpoints from the Hub need huggingface-hub: {install('app')}") from problem
    try:
        if not constants.HF_HUB_OFFLINE:
            _refuse_before_download(HfApi().model_info(repository, revision=revision, files_metadata=True), repository)
        path = Path(snapshot_download(repository, revision=revision, allow_patterns=list(_HUB_FILES)))
        return path, path.name
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as problem:
        at = f" at revision {revision}" if revision else ""
        raise CheckpointError(f"{repository}{at} could not be fetched from the Hub: {problem}") from problem


def _refuse_before_download(info: Any, repository: str) -> None:
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    refuse_incomplete(set(sizes), repository)
    if sum(sizes[name] for name in REQUIRED_FILES) > _MAX_DOWNLOAD_BYTES:
        raise CheckpointError(f"{repository} is larger than {_MAX_DOWNLOAD_BYTES >> 30} GB")
