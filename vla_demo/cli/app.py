"""`vla-demo app`."""

import argparse
import importlib
from typing import Any

from vla_demo.cli.verb import add_verb
from vla_demo.core.errors import MissingPiece
from vla_demo.core.extras import install

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    app = add_verb(verbs, "app", _app, "open the page in a browser")
    app.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets the whole network in (default: this machine)")
    app.add_argument("--port", type=int, help="default: 7860, or the next free one")
    app.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id instead of the bundled episodes")


def _app(chosen: argparse.Namespace) -> None:
    from vla_demo.workbench.bench import Workbench

    try:
        # By name: the page is the other face of the workbench, and neither face stands on the other.
        page = importlib.import_module("vla_demo.ui.server")
    except ImportError as error:
        raise MissingPiece(f"the page needs Gradio ({error}): {install('app')}") from error
    page.serve(Workbench(chosen.dataset), chosen.host, chosen.port)
