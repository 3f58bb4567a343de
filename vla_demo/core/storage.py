"""Files that several rooms make and check: where the cache lies, what a file's fingerprint is, how a file appears whole or not at all.

Knows nothing of what is in the files.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CACHE_VARIABLE", "cache_folder", "fingerprint", "graph_files", "write_whole"]

CACHE_VARIABLE = "VLA_DEMO_CACHE"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What identifies the content of one file, or of several read one after the other."""

    size_bytes: int
    sha256: str  # hex


def cache_folder() -> Path:
    """Where made things are kept: `$VLA_DEMO_CACHE`, else `~/.cache/vla-demo`. Need not exist yet."""
    return Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "vla-demo").expanduser()


def graph_files(graph: Path) -> tuple[Path, ...]:
    """A graph file and, where there are any, its external weights in `<file>.data`."""
    weights = graph.with_name(graph.name + ".data")
    return (graph, weights) if weights.exists() else (graph,)


def fingerprint(files: Iterable[Path]) -> Fingerprint:
    """Size and sha256 over the bytes of all `files`, in order. Raises `OSError` when one cannot be read."""
    digest, size = hashlib.sha256(), 0
    for file in files:
        size += file.stat().st_size
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return Fingerprint(size, digest.hexdigest())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would keep other users of a shared package out
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
