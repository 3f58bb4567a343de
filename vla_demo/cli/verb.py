"""What every verb's file needs: how a verb is added, and how arguments are read."""

import argparse
from collections.abc import Callable
from typing import Any

__all__ = ["add_verb", "natural", "port", "positive"]


def add_verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], None], help: str) -> argparse.ArgumentParser:
    """Its parser, for the arguments; `run` does the work with what was chosen."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(verb=run)
    return parser


def natural(text: str) -> int:
    """0, 1, 2, ..."""
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def positive(text: str) -> int:
    """1, 2, 3, ..."""
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def port(text: str) -> int:
    """Of TCP: 1 to 65535."""
    value = _whole(text)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; valid: 1 to 65535")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
