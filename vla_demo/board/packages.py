"""The packages a board keeps, and how one arrives: in parts, resumed where it broke off, checked against its hashes, and kept as a whole.

A package's id is the hash of its files' names and hashes, so the same package is never sent twice. Parts lie in `.arriving/` until all are
there; a full disk loses nothing of them. Nothing that a stranger could name leaves the folder.
"""

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vla_demo.core.errors import BoardError, InvalidInput, PackageError
from vla_demo.core.package import MANIFEST_FILE, PolicyPackage
from vla_demo.core.storage import fingerprint
from vla_demo.runtime.manifest import read_manifest, verify_package

__all__ = ["NotThere", "OfferedFile", "PackageShelf", "package_id", "packed"]

MOST_FILES, MOST_BYTES = 200, 20 << 30
MOST_UNFINISHED = 4
_KEPT_FREE = 64 << 20  # bytes; the system, and what a task writes, must go on
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,100}")
_ARRIVING = ".arriving"


class NotThere(BoardError):
    """No such package, or no room for it."""

    code = "not-there"


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """One file of a package on its way."""

    name: str  # relative, with "/"
    size: int
    sha256: str


def packed(folder: Path) -> tuple[OfferedFile, ...]:
    """Every file of an exported package, the manifest last: what is offered to a board. Reads all of them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    files.sort(key=lambda path: path.name == MANIFEST_FILE)
    return tuple(OfferedFile(p.relative_to(folder).as_posix(), f.size_bytes, f.sha256) for p in files for f in [fingerprint([p])])


def package_id(files: Sequence[OfferedFile]) -> str:
    """64 hexadecimal digits."""
    lines = sorted(f"{file.sha256} {file.size} {file.name}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class PackageShelf:
    """One folder of packages. May be called from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = threading.Lock()
        self._offers: dict[str, tuple[OfferedFile, ...]] = {}
        try:
            (folder / _ARRIVING).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InvalidInput(
                f"packages cannot be kept in {folder}: {problem.strerror}; valid is a folder that may be written"
            ) from problem

    def kept(self) -> list[tuple[str, PolicyPackage]]:
        """Names and packages; a folder that is none is left out."""
        found = []
        for place in sorted(self.folder.iterdir()):
            if place.is_dir() and place.name != _ARRIVING:
                try:
                    found.append((place.name, read_manifest(place)))
                except PackageError:
                    continue
        return found

    def open(self, name: str) -> PolicyPackage:
        """Raises `NotThere`, `PackageError`."""
        return read_manifest(self._place(name))

    def remove(self, name: str) -> None:
        """Raises `NotThere`."""
        with self._turn:
            folder = self._place(name)
            try:
                (folder / MANIFEST_FILE).unlink(missing_ok=True)  # from now on it is none, however far the rest gets
                shutil.rmtree(folder)
            except OSError as problem:
                raise NotThere(f"the board cannot remove the package: {problem.strerror}") from problem

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free

    def offer(self, files: Sequence[OfferedFile]) -> tuple[str, list[int], bool]:
        """Its id, how many bytes of each file are here already, and whether it is kept. Raises `NotThere` where there is no room."""
        _check(files)
        name = package_id(files)
        with self._turn:
            if (self.folder / name).is_dir():
                return name, [file.size for file in files], True
            self._make_room(name)
            self._offers[name] = tuple(files)
            have = [self._bytes_here(name, file) for file in files]
            missing = sum(file.size for file in files) - sum(have)
            if missing + _KEPT_FREE > self.free_bytes():
                raise NotThere(f"the package needs {missing} bytes more and the board has {self.free_bytes()} free; remove another one")
            return name, have, False

    def put(self, name: str, place: int, offset: int, data: bytes) -> int:
        """Append a part; answers how many bytes of the file are here. What does not continue it is left out. Raises `NotThere`."""
        with self._turn:
            files = self._offered_files(name)
            if not 0 <= place < len(files):
                raise NotThere(f"the package has {len(files)} files, none at place {place}")
            file = files[place]
            have = self._bytes_here(name, file)
            if offset != have or offset + len(data) > file.size:
                return have
            self._append(self._part(name, file), have, data)
            return have + len(data)

    def keep(self, name: str) -> PolicyPackage:
        """When all parts are here and are what was offered. A file that is not is thrown away, to be sent again. Raises `PackageError`."""
        with self._turn:
            if (self.folder / name).is_dir() and _NAME.fullmatch(name):
                return read_manifest(self.folder / name)
            for file in self._offered_files(name):
                self._check_arrived(name, file)
            arrived = self.folder / _ARRIVING / name
            verify_package(read_manifest(arrived))
            os.sync()
            arrived.rename(self.folder / name)
            del self._offers[name]
            return read_manifest(self.folder / name)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or not (self.folder / name).is_dir():
            raise NotThere(f"this board has no package {name[:80]!r}")
        return self.folder / name

    def _offered_files(self, name: str) -> tuple[OfferedFile, ...]:
        if name not in self._offers:
            raise NotThere("this package was not offered since the board started; offer it again, what has arrived is kept")
        return self._offers[name]

    def _part(self, name: str, file: OfferedFile) -> Path:
        return self.folder / _ARRIVING / name / file.name

    def _bytes_here(self, name: str, file: OfferedFile) -> int:
        part = self._part(name, file)
        return min(part.stat().st_size, file.size) if part.is_file() else 0

    def _append(self, part: Path, have: int, data: bytes) -> None:
        """A part that is written only in part, on a full disk, is taken back."""
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab") as stream:
                stream.write(data)
        except OSError as problem:
            if part.is_file():
                os.truncate(part, have)
            raise NotThere(f"the board cannot write the package: {problem.strerror}; what has arrived is kept") from problem

    def _check_arrived(self, name: str, file: OfferedFile) -> None:
        part = self._part(name, file)
        if self._bytes_here(name, file) < file.size or (file.size == 0 and not part.is_file()):
            raise PackageError(f"{file.name} has not arrived whole: {self._bytes_here(name, file)} of {file.size} bytes")
        if fingerprint([part]).sha256 != file.sha256:
            part.unlink()
            raise PackageError(f"{file.name} did not arrive as it was sent; send it again")

    def _make_room(self, name: str) -> None:
        """Only a few packages may be on their way: the one untouched for longest gives way."""
        arriving = self.folder / _ARRIVING
        others = sorted((path for path in arriving.iterdir() if path.name != name), key=lambda path: path.stat().st_mtime)
        for path in others[: max(0, len(others) - MOST_UNFINISHED + 1)]:
            shutil.rmtree(path)
            self._offers.pop(path.name, None)


def _check(files: Sequence[OfferedFile]) -> None:
    if not 1 <= len(files) <= MOST_FILES or len({file.name for file in files}) < len(files):
        raise PackageError(f"a package has 1 to {MOST_FILES} files, each once")
    if MANIFEST_FILE not in {file.name for file in files}:
        raise PackageError(f"a package has a {MANIFEST_FILE}")
    for file in files:
        parts = PurePosixPath(file.name).parts
        if not parts or file.name != "/".join(parts) or not all(_NAME.fullmatch(part) for part in parts):
            raise PackageError(f"{file.name[:80]!r} is no name for a file of a package")
        if not 0 <= file.size <= MOST_BYTES or not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            raise PackageError(f"{file.name} is offered with a size or hash that is none")
