"""The views of the page as Gradio components: the files of `vla_demo/ui/page`, put together.

Gradio carries messages to them (`value`) and events from them; all that moves on screen moves in the browser. Replay, which opens first,
has its script in the page; that of any other tab is fetched when the tab is first opened.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from vla_demo.ui.shared.messages import Message

__all__ = ["PAGE_FILES", "TAB_SCRIPTS", "LoopView", "Masthead", "ReplayView", "RobotView", "TrapView", "page_file", "tab_script"]

PAGE_FILES = Path(__file__).parents[1] / "page"
# In one scope, `main` last.
SCRIPTS = (
    *(f"shared/{name}" for name in ("dom", "format", "scale", "dial", "strip", "link", "keys", "controls")),
    *(f"replay/{name}" for name in ("player", "traces", "panel", "tabs", "main")),
)
ROBOT_SCRIPTS = ("status", "talk", "traces", "checks", "takeover", "judge", "rates", "boards", "choice", "episodes", "steps", "main")
TAB_SCRIPTS: Mapping[str, Sequence[str]] = {
    "trap": (
        *(f"shared/{name}" for name in ("dom", "format", "link", "controls")),
        *(f"trap/{name}" for name in ("svg", "heatmap", "lines", "bars", "figure", "main")),
    ),
    "loop": (
        *(f"shared/{name}" for name in ("dom", "format", "scale", "dial", "strip", "link", "keys", "controls")),
        *(f"loop/{name}" for name in ("cameras", "clock", "timeline", "latency", "lanes", "words", "weigh", "batch", "main")),
    ),
    "robot": (
        *(f"shared/{name}" for name in ("dom", "format", "scale", "dial", "strip", "link", "controls")),
        *(f"robot/{name}" for name in ROBOT_SCRIPTS),
    ),
}

def page_file(name: str) -> str:
    return (PAGE_FILES / name).read_text(encoding="utf-8")

def tab_script(tab: str) -> str:
    """A tab's script as one module; what Gradio gives a script comes in as arguments."""
    body = "\n".join(page_file(f"js/{name}.js") for name in TAB_SCRIPTS[tab])
    return f"export default function start(element, props, trigger, watch, server) {{\n{body}\n}}\n"

class _View(gr.HTML):
    def __init__(self, name: str, styles: Sequence[str], script: str, **kwargs: Any) -> None:
        super().__init__(
            html_template=page_file(f"{name}.html"),
            css_template="".join(page_file(f"{style}.css") for style in styles),
            js_on_load=script,
            apply_default_css=False,
            elem_id=name,
            **kwargs,
        )

    def postprocess(self, value: Message | None) -> str | None:  # type: ignore[override]
        """A message as text, so that Gradio sends each whole: its differences of nested lists go wrong where an inner one shrinks."""
        return None if value is None else json.dumps(value)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class ReplayView(_View):
    """Speaks in the events `open_policy`, `open_episode`, `run_variant` and `stop_run`; hears the messages of `ui.messages`."""

    def __init__(self, **kwargs: Any) -> None:
        script = "\n".join(page_file(f"js/{name}.js") for name in SCRIPTS)
        super().__init__("replay", ("controls", "strip", "scrub", "replay"), script, **kwargs)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class _LateView(_View):
    """A few lines fetch its script. Gradio knows a component's events by finding their names in what it is given."""

    def __init__(self, name: str, styles: Sequence[str], events: Sequence[str], **kwargs: Any) -> None:
        named = ", ".join(f'"{event}"' for event in events)
        server = "server" if "server_functions" in kwargs else "null"
        script = f'const TAB = "{name}"; // speaks in {named}\nconst SERVER = {server};\n' + page_file("js/shared/late.js")
        super().__init__(name, styles, script, **kwargs)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class TrapView(_LateView):
    """Speaks in the events `open_trap`, `compute_trap` and `stop_trap`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("trap", ("controls", "trap"), ("open_trap", "compute_trap", "stop_trap"), **kwargs)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class LoopView(_LateView):
    """Speaks in the events `open_loop`, `show_start`, `time_loop`, `run_loop` and `stop_loop`, the batch's; asks `weigh` directly."""

    def __init__(self, **kwargs: Any) -> None:
        live = ("open_loop", "show_start", "time_loop", "run_loop", "stop_loop")
        batch = ("open_batch", "run_batch", "stop_batch", "film_start", "pair_rows")
        super().__init__("loop", ("controls", "strip", "scrub", "loop", "loop_batch"), live + batch, **kwargs)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class RobotView(_LateView):
    """Speaks in these events; asks its server functions directly."""

    def __init__(self, **kwargs: Any) -> None:
        events = ("open_simulated", "open_board", "choose_robot", "load_robot", "download_episodes")
        super().__init__("robot", ("controls", "strip", "robot", "robot_episodes"), events, **kwargs)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Masthead(gr.HTML):
    """Name, tabs, one line, and the switch between light and dark."""

    def __init__(self) -> None:
        super().__init__(
            html_template=page_file("masthead.html"),
            js_on_load=page_file("js/shared/masthead.js"),
            apply_default_css=False,
            elem_id="masthead",
        )
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
