"""How a part of this project that is not installed is installed."""

from vla_demo import __version__

__all__ = ["install"]


def install(extra: str) -> str:
    """The command for a `MissingPiece`. The project is on no package index: its wheel is built in a clone, with `uv build --wheel`."""
    return f"pip install 'vla_demo-{__version__}-py3-none-any.whl[{extra}]'"
