"""Bringing the demo to this machine, from a folder or from the Hub: looked at before a byte is fetched, and again before it is believed."""

import json
import re
import shutil
from collections.abc import Callable, Generator, Mapping
from pathlib import Path, PurePosixPath

from vla_demo.core.demo import DEMO_POLICIES, Demo, demo_in, fetched_folder
from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.extras import install
from vla_demo.core.folders import whole_folder
from vla_demo.core.storage import fingerprint
from vla_demo.episodes import open_dataset
from vla_demo.episodes.sources import HUB_ID
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.progress import Preparing

__all__ = ["MAX_BYTES", "SUMS_FILE", "VALID_SOURCES", "fetch_demo"]

MAX_BYTES = 1 << 30  # a demo has some 75 MB
SUMS_FILE = "SHA256SUMS"  # as `sha256sum` writes it; may be absent
VALID_SOURCES = "valid are a clone of the project, its assets/demo, or the id owner/name of a Hub repository that has the demo"
_ROOTS = {"episodes", "calibration", "checkpoints", "trap", "rollouts.json", SUMS_FILE}
_SUFFIXES = {".json", ".parquet", ".mp4", ".safetensors", ".md"}

type _Sizes = Mapping[str, int]  # path inside the demo -> bytes
type _Bring = Callable[[str, Path], object]  # writes the file of that path to the same path in a folder


def fetch_demo(source: str, revision: str | None = None, kind: str = "dataset") -> Generator[Preparing | Demo]:
    """Progress, then the demo, which takes the place of one fetched before; closing the iterator leaves the older one as it was.

    `source` is a folder, or the id of a Hub repository of that `kind` ("dataset" or "model") at `revision` (default: newest). Raises
    `InvalidInput` for a source that is not the demo, cannot be read or has been altered, `MissingPiece` without huggingface-hub.
    """
    yield Preparing(f"Looking for the demo in {source}")
    files, bring = _open_source(source, revision, kind)
    sizes = {name: size for name, size in files.items() if PurePosixPath(name).parts[0] in _ROOTS}
    _check_listing(source, sizes)
    fetched, total = 0, sum(sizes.values())
    with whole_folder(fetched_folder()) as new:
        for number, (name, size) in enumerate(sorted(sizes.items()), 1):
            yield Preparing(f"Fetching the demo (file {number} of {len(sizes)})", fetched / total)
            bring(name, new)
            fetched += size
        shutil.rmtree(new / ".cache", ignore_errors=True)  # where the Hub's client notes what it fetched
        _check_files(source, Demo(new), sizes)
    yield Demo(fetched_folder())


def _open_source(source: str, revision: str | None, kind: str) -> tuple[_Sizes, _Bring]:
    folder = Path(source).expanduser()
    if not folder.exists() and HUB_ID.fullmatch(source):
        return _open_repository(source, revision, kind)
    demo = demo_in(folder)
    if demo is None:
        raise InvalidInput(f"{source} does not have the demo; {VALID_SOURCES}")
    if revision is not None:
        raise InvalidInput(f"{source} is on this machine and has no revisions; leave the revision out")
    files = (path for path in demo.folder.rglob("*") if path.is_file())
    return {path.relative_to(demo.folder).as_posix(): path.stat().st_size for path in files}, lambda name, to: _copy(demo.folder, name, to)


def _copy(folder: Path, name: str, to: Path) -> None:
    try:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, to / name)
    except OSError as problem:
        raise InvalidInput(f"{folder / name} could not be copied: {problem}") from problem


def _open_repository(repository: str, revision: str | None, kind: str) -> tuple[_Sizes, _Bring]:
    """Its files at one commit."""
    try:
        from httpx import HTTPError
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as problem:
        raise MissingPiece(f"the Hub needs huggingface-hub: {install('app')}") from problem
    disable_progress_bars()  # one bar a file, for forty files, most of them small

    def download(name: str, to: Path) -> None:
        try:
            hf_hub_download(repository, name, repo_type=kind, revision=info.sha, local_dir=to)
        except (HTTPError, OSError) as problem:
            raise InvalidInput(f"{name} of {repository} could not be fetched from the Hub: {_first_line(problem)}") from problem

    try:
        describe = HfApi().dataset_info if kind == "dataset" else HfApi().model_info
        info = describe(repository, revision=revision, files_metadata=True)
    except (HTTPError, OSError, ValueError) as problem:
        at = f" at revision {revision}" if revision else ""
        raise InvalidInput(
            f"the {kind} {repository}{at} could not be found on the Hub: {_first_line(problem)}; {VALID_SOURCES}"
        ) from problem
    return {file.rfilename: file.size or 0 for file in info.siblings or []}, download


def _check_listing(source: str, sizes: _Sizes) -> None:
    """Raise `InvalidInput` for what is not the demo, or is more than the demo, by the names and sizes of its files."""
    demo = Demo(Path())
    needed = [demo.episodes / "meta/info.json", demo.calibration / "meta/info.json", demo.rollouts, *map(demo.sensitivity, DEMO_POLICIES)]
    needed += [demo.checkpoint(policy) / file for policy in DEMO_POLICIES for file in ("config.json", "model.safetensors")]
    missing = [path.as_posix() for path in needed if path.as_posix() not in sizes]
    if missing:
        raise InvalidInput(f"{source} is not the demo: it lacks {_some(missing)}; {VALID_SOURCES}")
    odd = [name for name in sizes if name != SUMS_FILE and (Path(name).suffix not in _SUFFIXES or ".." in PurePosixPath(name).parts)]
    if odd:
        raise InvalidInput(f"{source} is refused for files that no demo has: {_some(odd)}; weights have to be safetensors")
    if sum(sizes.values()) > MAX_BYTES:
        raise InvalidInput(f"{source} has {sum(sizes.values()) / 1e9:.1f} GB; a demo has at most {MAX_BYTES / 1e9:.1f} GB")


def _check_files(source: str, demo: Demo, sizes: _Sizes) -> None:
    """Raise `InvalidInput` unless the files have the sizes announced and the sums listed, and this program can read them."""
    altered = [name for name, size in sizes.items() if (demo.folder / name).stat().st_size != size]
    if SUMS_FILE in sizes:
        sums = _read_sums(demo.folder / SUMS_FILE)
        altered += [name for name in sums.keys() - sizes.keys()]
        altered += [name for name in sizes if name != SUMS_FILE and fingerprint([demo.folder / name]).sha256 != sums.get(name)]
    if altered:
        raise InvalidInput(f"what came from {source} is not what it lists: {_some(altered)}")
    try:
        open_dataset(demo.episodes), open_dataset(demo.calibration), json.loads(demo.rollouts.read_bytes())
        for policy in DEMO_POLICIES:
            SensitivityReport.read(demo.sensitivity(policy).read_text(encoding="utf-8"))
    except (VlaDemoError, ValueError) as problem:
        raise InvalidInput(f"{source} is not a demo of this version: {str(problem).replace(f'{demo.folder}/', '')}") from problem


def _read_sums(file: Path) -> dict[str, str]:
    """Path -> hex sha256."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {match[2]: match[1] for line in lines if (match := re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line))}


def _some(names: list[str]) -> str:
    return ", ".join(sorted(set(names))[:5])


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
