"""The tabs of the page as Gradio components: the files of `vla_demo/ui/page`, put together.

Gradio carries messages to them (`value`) and events from them; all that moves on screen moves in the browser, in the ES modules of
`page/js`, which `ui.server` serves as they are. Replay's are fetched at once, those of any other tab when it is first opened.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from vla_demo.ui.shared.messages import Message
from vla_demo.ui.shared.tab import Tab

__all__ = ["PAGE_FILES", "Masthead", "TabComponent", "loader", "page_file"]

PAGE_FILES = Path(__file__).parents[1] / "page"


def page_file(name: str) -> str:
    return (PAGE_FILES / name).read_text(encoding="utf-8")


def loader(module: str, call: str, events: Sequence[str] = ()) -> str:
    """The script of a component: it imports one of the page's modules and makes a call on it.

    Gradio knows a component's events by finding their names in this text. `module` is a path below `page/js`; `call` is JavaScript in which
    `page` is the imported module, and `element`, `props`, `trigger`, `watch` and `server` are what Gradio hands to a component.
    """
    named = ", ".join(f'"{event}"' for event in events)
    address = f'new URL(`${{window.gradio_config?.root ?? ""}}/page/js/{module}`, location.href)'
    return f"// speaks in {named}\nimport({address}).then((page) => {call});\n"


class TabComponent(gr.HTML):
    """A tab: its element and styles, and the loader of its modules."""

    def __init__(self, tab: Tab, **kwargs: Any) -> None:
        name, events = tab.name, [event.name for event in tab.events()]
        super().__init__(
            html_template=page_file(f"{name}.html"),
            css_template="".join(page_file(f"{style}.css") for style in tab.styles),
            js_on_load=loader("shared/tab.js", f'page.openTab("{name}", {{ element, props, trigger, watch, server }})', events),
            apply_default_css=False,
            elem_id=name,
            **kwargs,
        )

    def postprocess(self, value: Message | None) -> str | None:  # type: ignore[override]
        """A message as text, so that Gradio sends each whole: its differences of nested lists go wrong where an inner one shrinks."""
        return None if value is None else json.dumps(value)


class Masthead(gr.HTML):
    """Name, tabs, one line, and the switch between light and dark."""

    def __init__(self) -> None:
        super().__init__(
            html_template=page_file("masthead.html"),
            js_on_load=loader("shared/masthead.js", "page.default({ element })"),
            apply_default_css=False,
            elem_id="masthead",
        )
