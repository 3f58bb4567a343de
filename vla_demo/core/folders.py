"""A folder that appears whole or not at all, as `storage.write_whole` does for one file. Knows nothing of what is in it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_folder"]


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out`; it takes the place of `out` when the block ends, and vanishes when the block raises.

    An `out` that exists stays as it is until then and is replaced as a whole. Ctrl-C counts as raising. Raises `OSError` when the parent
    cannot be written.
    """
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        new = making / "new"
        new.mkdir()
        yield new
        if out.exists():
            out.rename(making / "old")
        try:
            new.rename(out)
        except OSError:
            if (making / "old").exists():
                (making / "old").rename(out)
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
