"""The views of the page as Gradio components: the files of `assets/page`, put together.

Gradio carries messages to them (`value`) and events from them; all that moves on screen moves in the browser.
"""

from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["PAGE_FILES", "Masthead", "ReplayView", "TrapView", "page_file", "trap_script"]

PAGE_FILES = Path(__file__).parents[2] / "assets" / "page"
# In one scope, `main` last.
SCRIPTS = ("dom", "format", "player", "scale", "traces", "dial", "strip", "panel", "link", "keys", "controls", "tabs", "main")
TRAP_SCRIPTS = ("dom", "format", "link", "controls", *(f"trap/{name}" for name in ("svg", "heatmap", "lines", "bars", "figure", "main")))


def page_file(name: str) -> str:
    return (PAGE_FILES / name).read_text(encoding="utf-8")


def trap_script() -> str:
    """The Trap's script as one module, fetched when its tab is opened; what Gradio gives a script comes in as arguments."""
    body = "\n".join(page_file(f"js/{name}.js") for name in TRAP_SCRIPTS)
    return f"export default function start(element, props, trigger, watch) {{\n{body}\n}}\n"


class ReplayView(gr.HTML):
    """Speaks in the events `open_policy`, `open_episode`, `run_variant` and `stop_run`; hears the messages of `ui.messages`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            html_template=page_file("replay.html"),
            css_template=page_file("controls.css") + page_file("replay.css"),
            js_on_load="\n".join(page_file(f"js/{name}.js") for name in SCRIPTS),
            apply_default_css=False,
            elem_id="replay",
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


class TrapView(gr.HTML):
    """Speaks in the events `open_trap`, `compute_trap` and `stop_trap`. Its own script is `trap_script`, loaded by a few lines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            html_template=page_file("trap.html"),
            css_template=page_file("controls.css") + page_file("trap.css"),
            js_on_load=page_file("js/trap_loader.js"),
            apply_default_css=False,
            elem_id="trap",
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


class Masthead(gr.HTML):
    """Name, tabs, one line, and the switch between light and dark."""

    def __init__(self) -> None:
        super().__init__(
            html_template=page_file("masthead.html"),
            js_on_load=page_file("js/masthead.js"),
            apply_default_css=False,
            elem_id="masthead",
        )
