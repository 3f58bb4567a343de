"""`vla-demo app`."""

from collections.abc import Callable
from typing import Any

from vla_demo.cli.verb import add_verb, port

__all__ = ["OpenPage", "add_to"]

OpenPage = Callable[[str | None, str, int | None], None]
"""Serves the page over a dataset (None: the bundled episodes) at a host and a port (None: 7860, or the next free one)."""


def add_to(verbs: Any, open_page: OpenPage) -> None:
    """The verb and its arguments."""
    app = add_verb(verbs, "app", lambda chosen: open_page(chosen.dataset, chosen.host, chosen.port), "open the page in a browser")
    app.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets the whole network in (default: this machine)")
    app.add_argument("--port", type=port, help="default: 7860, or the next free one")
    app.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id instead of the bundled episodes")
