"""The player and its traces as one Gradio component: the files of `assets/page`, put together.

Gradio carries messages to it (`value`) and events from it; all that moves on screen moves in the browser.
"""

from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["PAGE_FILES", "Masthead", "ReplayView", "page_file"]

PAGE_FILES = Path(__file__).parents[2] / "assets" / "page"
SCRIPTS = ("dom", "format", "player", "scale", "traces", "strip", "panel", "link", "keys", "controls", "main")  # in one scope, `main` last


def page_file(name: str) -> str:
    return (PAGE_FILES / name).read_text(encoding="utf-8")


class ReplayView(gr.HTML):
    """Speaks in the events `open_policy`, `open_episode`, `run_variant` and `stop_run`; hears the messages of `ui.messages`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            html_template=page_file("replay.html"),
            css_template=page_file("replay.css"),
            js_on_load="\n".join(page_file(f"js/{name}.js") for name in SCRIPTS),
            apply_default_css=False,
            elem_id="replay",
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


class Masthead(gr.HTML):
    """Name, one line, and the switch between light and dark."""

    def __init__(self) -> None:
        super().__init__(
            html_template=page_file("masthead.html"),
            js_on_load=page_file("js/masthead.js"),
            apply_default_css=False,
            elem_id="masthead",
        )
