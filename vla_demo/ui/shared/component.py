"""The views of the page as Gradio components: the files of `vla_demo/ui/page`, put together.

Gradio carries messages to them (`value`) and events from them; all that moves on screen moves in the browser, in the ES modules of
`page/js`, which `ui.server` serves as they are. Replay's are fetched at once, those of any other tab when it is first opened.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from vla_demo.ui.shared.messages import Message

__all__ = ["PAGE_FILES", "LoopView", "Masthead", "ReplayView", "RobotView", "TrapView", "loader", "page_file"]

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


class _View(gr.HTML):
    def __init__(self, name: str, styles: Sequence[str], events: Sequence[str], **kwargs: Any) -> None:
        super().__init__(
            html_template=page_file(f"{name}.html"),
            css_template="".join(page_file(f"{style}.css") for style in styles),
            js_on_load=loader("shared/tab.js", f'page.openTab("{name}", {{ element, props, trigger, watch, server }})', events),
            apply_default_css=False,
            elem_id=name,
            **kwargs,
        )

    def postprocess(self, value: Message | None) -> str | None:  # type: ignore[override]
        """A message as text, so that Gradio sends each whole: its differences of nested lists go wrong where an inner one shrinks."""
        return None if value is None else json.dumps(value)


class ReplayView(_View):
    """Speaks in the events `open_policy`, `open_episode`, `run_variant` and `stop_run`; hears the messages of `ui.messages`."""

    def __init__(self, **kwargs: Any) -> None:
        events = ("open_policy", "open_episode", "run_variant", "stop_run")
        super().__init__("replay", ("controls", "strip", "scrub", "replay"), events, **kwargs)


class TrapView(_View):
    """Speaks in the events `open_trap`, `compute_trap` and `stop_trap`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("trap", ("controls", "trap"), ("open_trap", "compute_trap", "stop_trap"), **kwargs)


class LoopView(_View):
    """Speaks in the events `open_loop`, `show_start`, `time_loop`, `run_loop` and `stop_loop`, the batch's; asks `weigh` directly."""

    def __init__(self, **kwargs: Any) -> None:
        live = ("open_loop", "show_start", "time_loop", "run_loop", "stop_loop")
        batch = ("open_batch", "run_batch", "stop_batch", "film_start", "pair_rows")
        super().__init__("loop", ("controls", "strip", "scrub", "loop", "loop_batch"), live + batch, **kwargs)


class RobotView(_View):
    """Speaks in these events; asks its server functions directly."""

    def __init__(self, **kwargs: Any) -> None:
        events = ("open_simulated", "open_board", "choose_robot", "load_robot", "download_episodes")
        super().__init__("robot", ("controls", "strip", "robot", "robot_episodes"), events, **kwargs)


class Masthead(gr.HTML):
    """Name, tabs, one line, and the switch between light and dark."""

    def __init__(self) -> None:
        super().__init__(
            html_template=page_file("masthead.html"),
            js_on_load=loader("shared/masthead.js", "page.default({ element })"),
            apply_default_css=False,
            elem_id="masthead",
        )
