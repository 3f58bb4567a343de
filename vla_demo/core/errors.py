"""The one error tree. A message says what was wrong, what would have been valid and, where a piece is missing, what installs it.

VlaDemoError
├── InvalidInput        what the caller asked for does not exist or does not fit; the message lists what would
│   ├── UnknownVariant      a stage, precision or step count that this package does not have
│   └── UnknownEpisode      an episode or dataset that is not there
├── CheckpointError     a checkpoint that cannot be found, is not safe to open, or is of an unsupported family
├── PackageError        an exported package that is damaged, of another version, or incomplete
├── ParityError         the exported graphs do not reproduce the PyTorch policy; carries the report
├── QuantizationError   a stage that was asked for a precision and did not get it
├── BoardError          a board cannot be reached, or refused what was asked of it
├── MissingPiece        an optional dependency is not installed; the message gives the command
├── DeadlineMissed      an answer that did not come in time
└── Stopped             the user asked to stop; nothing is wrong
"""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "BoardError",
    "CheckpointError",
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
]


class VlaDemoError(Exception):
    """Base of everything this project raises on purpose; `str(error)` is fit to be shown to a user."""


class InvalidInput(VlaDemoError):
    """What was asked for does not exist or does not fit."""


class UnknownVariant(InvalidInput):
    """A stage, a precision or a step count that this package does not have."""


class UnknownEpisode(InvalidInput):
    """An episode or a dataset that is not there."""


class CheckpointError(VlaDemoError):
    """A checkpoint that cannot be found, is not safe to open, or is of an unsupported family."""


class PackageError(VlaDemoError):
    """An exported package that is damaged, of another version, or incomplete."""


class ParityError(VlaDemoError):
    """The exported graphs do not reproduce the PyTorch policy; `report` says by how much and where."""

    def __init__(self, message: str, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.report = dict(report or {})


class QuantizationError(VlaDemoError):
    """A stage that was asked for a precision and did not get it."""


class BoardError(VlaDemoError):
    """A board cannot be reached, or refused what was asked of it."""


class MissingPiece(VlaDemoError):
    """An optional dependency is not installed."""


class DeadlineMissed(VlaDemoError):
    """An answer did not come in time."""


class Stopped(VlaDemoError):
    """The user asked to stop."""
