"""What is learned row by row and kept for good: one line of JSON a row, in a file of the cache folder."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.storage import cache_folder

__all__ = ["Journal"]

_turn = threading.Lock()


class Journal[Row]:
    """Of rows of one dataclass. `file` is below the cache folder, `what` what a row is, for a message."""

    def __init__(self, file: str, row: type[Row], what: str) -> None:
        self._file, self._row, self._what = file, row, what

    def keep(self, row: Row) -> None:
        """Raises `VlaDemoError` when it cannot be written."""
        place = self._place
        line = json.dumps(asdict(row)) + "\n"  # type: ignore[call-overload]
        try:
            with _turn:
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("a", encoding="utf-8") as out:
                    out.write(line)
        except OSError as problem:
            raise VlaDemoError(f"{self._what} cannot be kept in {place}: {problem.strerror}") from problem

    def rows(self) -> Sequence[Row]:
        """The oldest first. Raises `VlaDemoError` for a file that is damaged."""
        place = self._place
        if not place.exists():
            return ()
        try:
            return [self._row(**_plain(line)) for line in place.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError, TypeError) as problem:
            raise VlaDemoError(f"{place} is damaged: {problem}; move it away") from problem

    @property
    def _place(self) -> Path:
        return cache_folder() / self._file


def _plain(line: str) -> dict[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError(f"a line holds {line[:40]!r}")
    return found
