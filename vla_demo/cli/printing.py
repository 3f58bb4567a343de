"""What goes to the terminal: progress to standard error, documents to standard output."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from vla_demo.core.formats import percent

if TYPE_CHECKING:
    from vla_demo.workbench.progress import Preparing

__all__ = ["ProgressLine", "last", "print_json"]


class ProgressLine:
    """Progress on standard error: one line that is rewritten on a terminal, elsewhere a line for each kind of work."""

    def __enter__(self) -> "ProgressLine":
        self._terminal = sys.stderr.isatty()
        self._said = ""
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._said:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def tell(self, text: str, fraction: float | None) -> None:
        """Shown on a terminal only: for what changes many times a second."""
        if self._terminal:
            share = "" if fraction is None else f" {percent(fraction):>5}"
            print(f"\r\033[K{text}{share}", end="", file=sys.stderr, flush=True)
            self._said = text

    def shown[Result](self, steps: "Iterable[Preparing | Result]") -> Iterator[Result]:
        """Show the progress in `steps` and hand on the rest."""
        from vla_demo.workbench.progress import Preparing

        for step in steps:
            if not isinstance(step, Preparing):
                yield step
                continue
            self.tell(step.text, step.fraction)
            kind = step.text.partition(" (")[0]  # "Asking PyTorch (3 of 24)"
            if not self._terminal and kind != self._said:
                print(step.text, file=sys.stderr, flush=True)
                self._said = kind


def last[Result](results: Iterable[Result]) -> Result:
    """What an iterator ends with."""
    *_, final = results
    return final


def print_json(document: Any) -> None:
    """One JSON document."""
    print(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))
