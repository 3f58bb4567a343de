"""The one error tree. A message says what was wrong, what would have been valid and, where a piece is missing, what installs it.

Nobody reads a message to decide what to do: each kind has a `code`, which crosses to other processes and to the page.

VlaDemoError
├── InvalidInput        what the caller asked for does not exist or does not fit; the message lists what would
│   ├── UnknownVariant      a stage, precision or step count that this package does not have
│   └── UnknownEpisode      an episode or dataset that is not there
├── CheckpointError     a checkpoint that cannot be found, is not safe to open, or is of an unsupported family
├── PackageError        an exported package that is damaged, of another version, or incomplete
├── ParityError         the exported graphs do not reproduce the PyTorch policy; carries the report
├── QuantizationError   a stage that was asked for a precision and did not get it
├── BoardError          a board cannot be reached, or refused what was asked of it
│   └── ConnectionClosed    the connection was closed for good; only a new one helps
├── MissingPiece        an optional dependency is not installed; the message gives the command
├── DeadlineMissed      an answer that did not come in time
└── Stopped             the user asked to stop; nothing is wrong
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

__all__ = [
    "BoardError",
    "CheckpointError",
    "ConnectionClosed",
    "DeadlineMissed",
    "InvalidInput",
    "MissingPiece",
    "PackageError",
    "ParityError",
    "QuantizationError",
    "Stopped",
    "UnknownEpisode",
    "UnknownVariant",
    "VlaDemoError",
    "error_from_message",
    "error_message",
]


class VlaDemoError(Exception):
    """Base of everything this project raises on purpose; `str(error)` is fit to be shown to a user.

    `code` is one stable word that says what kind of error it is, for whoever must act on it without reading the sentence: the page, or
    the process that started this one.
    """

    code: ClassVar[str] = "error"


class InvalidInput(VlaDemoError):
    """What was asked for does not exist or does not fit."""

    code = "invalid-input"


class UnknownVariant(InvalidInput):
    """A stage, a precision or a step count that this package does not have."""

    code = "unknown-variant"


class UnknownEpisode(InvalidInput):
    """An episode or a dataset that is not there."""

    code = "unknown-episode"


class CheckpointError(VlaDemoError):
    """A checkpoint that cannot be found, is not safe to open, or is of an unsupported family."""

    code = "checkpoint"


class PackageError(VlaDemoError):
    """An exported package that is damaged, of another version, or incomplete."""

    code = "package"


class ParityError(VlaDemoError):
    """The exported graphs do not reproduce the PyTorch policy; `report` says by how much and where."""

    code = "parity"

    def __init__(self, message: str, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.report = dict(report or {})


class QuantizationError(VlaDemoError):
    """A stage that was asked for a precision and did not get it; `reason` is the message without what it is about."""

    code = "quantization"

    def __init__(self, reason: str, about: str = "") -> None:
        super().__init__(f"{about}: {reason}" if about else reason)
        self.reason = reason


class BoardError(VlaDemoError):
    """A board cannot be reached, or refused what was asked of it."""

    code = "board"


class ConnectionClosed(BoardError):
    """The connection to a board was closed for good, at whichever end; only a new one helps."""

    code = "connection-closed"


class MissingPiece(VlaDemoError):
    """An optional dependency is not installed."""

    code = "missing-piece"


class DeadlineMissed(VlaDemoError):
    """An answer did not come in time."""

    code = "deadline-missed"


class Stopped(VlaDemoError):
    """The user asked to stop."""

    code = "stopped"


def error_message(error: VlaDemoError) -> dict[str, str]:
    """The error as JSON for another process."""
    return {"error": error.code, "text": str(error)}


def error_from_message(message: Mapping[str, str]) -> VlaDemoError:
    """The error that `error_message` wrote down; of a kind that this process has not imported, a plain `VlaDemoError`."""
    kinds = {kind.code: kind for kind in _kinds(VlaDemoError)}
    return kinds.get(message["error"], VlaDemoError)(message["text"])


def _kinds(base: type[VlaDemoError]) -> Iterator[type[VlaDemoError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)
