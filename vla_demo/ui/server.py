"""The page: a thin shell of Gradio around the tabs, and how it is served."""

import os
import threading
from collections.abc import Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before the import: nothing of this page leaves the machine

import gradio as gr
import plotly
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vla_demo.core.errors import InvalidInput
from vla_demo.ui.contract import Wings
from vla_demo.ui.loop.handlers import LoopTab
from vla_demo.ui.replay.handlers import ReplayTab
from vla_demo.ui.robot.handlers import RobotTab
from vla_demo.ui.shared.component import PAGE_FILES, Masthead, TabComponent
from vla_demo.ui.shared.tab import ServerFunction, Tab
from vla_demo.ui.trap.handlers import TrapTab

__all__ = ["build_page", "serve"]

TITLE = "vla-demo"
COMMON: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
SYSTEM_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
SYSTEM_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def tabs_of(workbench: Wings) -> Sequence[Tab]:
    """As the masthead lists them."""
    return (
        ReplayTab(workbench.policies, workbench.replay),
        TrapTab(workbench.policies, workbench.sensitivity),
        LoopTab(workbench.policies, workbench.rollout),
        RobotTab(workbench.policies, workbench.robot),
    )


def build_page(workbench: Wings) -> gr.Blocks:
    """Every tab's component and all that it may ask for."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        Masthead()
        for tab in tabs_of(workbench):
            _add_tab(page, tab)
    return page


def _add_tab(page: gr.Blocks, tab: Tab) -> None:
    component = TabComponent(tab, server_functions=[_function(call) for call in tab.server_functions()])
    page.load(tab.visit, None, component, concurrency_limit=None, **COMMON)
    for event in tab.events():
        listen = getattr(component, event.name)
        more = {"concurrency_limit": event.concurrency, "trigger_mode": event.trigger, "queue": event.queue}
        listen(event.handler, None, component, **more, **COMMON)
    page.unload(tab.leave)


def _function(call: ServerFunction) -> ServerFunction:
    """Gradio marks a server function, which a method does not let it."""

    @wraps(call)
    def function(asked: Mapping[str, Any]) -> dict[str, Any]:
        return call(asked)

    return function


class _Scripts(StaticFiles):
    """The page's ES modules, and Plotly. A browser keeps them and asks each time whether they are still the newest (ETag)."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        if response.status_code == HTTPStatus.OK:
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"  # whatever this machine's own table of types says
        return response


async def _plotly(request: Request) -> Response:
    """Plotly's own script as its package brings it: the version that the figures were built with, and no request leaves the machine."""
    return await _Scripts(directory=Path(plotly.__file__).parent / "package_data").get_response("plotly.min.js", request.scope)


def serve(workbench: Wings, host: str = "127.0.0.1", port: int | None = None, block: bool = True) -> gr.Blocks:
    """Serve the page, then prepare the bundled policies behind it. `port` None: 7860, or the next free one.

    Returns the running page when `block` is False; `close()` ends it. Raises `InvalidInput` for a port that is taken.
    """
    gr.set_static_paths(list(workbench.folders()))
    page = build_page(workbench)
    page.queue(default_concurrency_limit=None)
    _launch(page, host, port)
    print(f"vla-demo is on {page.local_url} (Ctrl-C ends it)", flush=True)
    threading.Thread(target=workbench.policies.warm_up, name="warm-up", daemon=True).start()
    if block:
        page.block_thread()
    return page


def _launch(page: gr.Blocks, host: str, port: int | None) -> None:
    try:
        page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            ssr_mode=False,
            _frontend=False,  # skips a probe of our own address that gives up after 3 s: a busy machine is not a failed start
            footer_links=[],
            app_kwargs={"routes": [Mount("/page/js", _Scripts(directory=PAGE_FILES / "js")), Route("/page/plotly.min.js", _plotly)]},
            theme=_theme(),
            css_paths=[PAGE_FILES / "shell.css"],
        )
    except OSError as error:
        taken = f"port {port} of {host} cannot be used" if port else f"no port of {host} is free"
        raise InvalidInput(f"{taken}; choose another with --port, or leave it out for the next free one") from error


def _theme() -> gr.themes.Base:
    """Paper and ink; the colors themselves are in `shell.css`, one set for light and one for dark."""
    return gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=SYSTEM_FONT, font_mono=SYSTEM_MONO).set(
        body_background_fill="var(--paper)",
        body_background_fill_dark="var(--paper)",
        body_text_color="var(--ink)",
        body_text_color_dark="var(--ink)",
    )
