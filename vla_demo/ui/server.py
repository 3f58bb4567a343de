"""The page: a thin shell of Gradio around the replay view, and how it is served."""

import os
import threading
from http import HTTPStatus
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before the import: nothing of this page leaves the machine

import gradio as gr
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from vla_demo.core.errors import InvalidInput
from vla_demo.ui.loop.batch import BatchDesk
from vla_demo.ui.loop.handlers import LoopDesk
from vla_demo.ui.replay.handlers import ReplayDesk
from vla_demo.ui.robot.episodes import EpisodeDesk
from vla_demo.ui.robot.handlers import RobotDesk
from vla_demo.ui.shared.bench import Bench
from vla_demo.ui.shared.component import PAGE_FILES, LoopView, Masthead, ReplayView, RobotView, TrapView
from vla_demo.ui.trap.handlers import TrapDesk

__all__ = ["build_page", "serve"]

TITLE = "vla-demo"
RUNS_AT_ONCE = 8  # more visitors than that wait for a free place
FILMS_AT_ONCE = 2  # each is a process of its own
REPORTS_AT_ONCE = 2  # each takes the whole machine for minutes
COMMON: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
SYSTEM_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
SYSTEM_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def build_page(bench: Bench) -> gr.Blocks:
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        Masthead()
        _wire_replay(page, ReplayView(), ReplayDesk(bench))
        _wire_trap(page, TrapView(), TrapDesk(bench))
        loop = LoopDesk(bench)
        view = _loop_view(loop)
        _wire_loop(page, view, loop)
        _wire_batch(page, view, BatchDesk(bench))
        robot = RobotDesk(bench)
        recorded = EpisodeDesk(robot.link)
        _wire_robot(page, _robot_view(robot, recorded), robot, recorded)
    return page


def _wire_replay(page: gr.Blocks, view: ReplayView, desk: ReplayDesk) -> None:
    page.load(desk.visit, None, view, concurrency_limit=None, **COMMON)
    view.open_policy(desk.open_policy, None, view, concurrency_limit=None, trigger_mode="multiple", **COMMON)
    view.open_episode(desk.open_episode, None, view, concurrency_limit=None, trigger_mode="always_last", **COMMON)
    view.run_variant(desk.run_variant, None, view, concurrency_limit=RUNS_AT_ONCE, trigger_mode="multiple", **COMMON)
    view.stop_run(desk.stop_run, None, view, queue=False, trigger_mode="multiple", **COMMON)
    page.unload(desk.leave)


def _wire_trap(page: gr.Blocks, view: TrapView, desk: TrapDesk) -> None:
    page.load(desk.visit, None, view, concurrency_limit=None, **COMMON)
    view.open_trap(desk.open_trap, None, view, concurrency_limit=None, trigger_mode="multiple", **COMMON)
    view.compute_trap(desk.compute_trap, None, view, concurrency_limit=REPORTS_AT_ONCE, trigger_mode="multiple", **COMMON)
    view.stop_trap(desk.stop_trap, None, view, queue=False, trigger_mode="multiple", **COMMON)
    page.unload(desk.leave)


def _loop_view(desk: LoopDesk) -> LoopView:
    def weigh(asked: dict[str, Any]) -> dict[str, Any]:  # Gradio marks a server function, which a method does not let it
        return desk.weigh(asked)

    return LoopView(server_functions=[weigh])


def _wire_loop(page: gr.Blocks, view: LoopView, desk: LoopDesk) -> None:
    page.load(desk.visit, None, view, concurrency_limit=None, **COMMON)
    view.open_loop(desk.open_loop, None, view, concurrency_limit=None, trigger_mode="multiple", **COMMON)
    view.show_start(desk.show_start, None, view, concurrency_limit=2, trigger_mode="always_last", **COMMON)
    view.time_loop(desk.time_loop, None, view, concurrency_limit=1, trigger_mode="multiple", **COMMON)
    view.run_loop(desk.run_loop, None, view, concurrency_limit=RUNS_AT_ONCE, trigger_mode="multiple", **COMMON)
    view.stop_loop(desk.stop_loop, None, view, queue=False, trigger_mode="multiple", **COMMON)
    page.unload(desk.leave)


def _wire_batch(page: gr.Blocks, view: LoopView, desk: BatchDesk) -> None:
    view.open_batch(desk.open_batch, None, view, concurrency_limit=None, trigger_mode="multiple", **COMMON)
    view.run_batch(desk.run_batch, None, view, concurrency_limit=RUNS_AT_ONCE, trigger_mode="multiple", **COMMON)
    view.film_start(desk.film_start, None, view, concurrency_limit=FILMS_AT_ONCE, trigger_mode="multiple", **COMMON)
    view.pair_rows(desk.pair_rows, None, view, concurrency_limit=None, trigger_mode="multiple", **COMMON)
    view.stop_batch(desk.stop_batch, None, view, queue=False, trigger_mode="multiple", **COMMON)
    page.unload(desk.leave)


def _robot_view(desk: RobotDesk, recorded: EpisodeDesk) -> RobotView:
    def watch(asked: dict[str, Any]) -> dict[str, Any]:
        return desk.watch(asked)

    def stop(asked: dict[str, Any]) -> dict[str, Any]:
        return desk.stop(asked)

    def command(asked: dict[str, Any]) -> dict[str, Any]:
        return desk.command(asked)

    def checks(asked: dict[str, Any]) -> dict[str, Any]:
        return desk.checks(asked)

    def rates(asked: dict[str, Any]) -> dict[str, Any]:
        return desk.rates(asked)

    def episodes(asked: dict[str, Any]) -> dict[str, Any]:
        return recorded.episodes(asked)

    return RobotView(server_functions=[watch, stop, command, checks, rates, episodes])


def _wire_robot(page: gr.Blocks, view: RobotView, desk: RobotDesk, recorded: EpisodeDesk) -> None:
    page.load(desk.visit, None, view, concurrency_limit=None, **COMMON)
    for asked, answer in (
        (view.open_simulated, desk.open_simulated),
        (view.open_board, desk.open_board),
        (view.choose_robot, desk.choose_robot),
        (view.load_robot, desk.load_robot),
        (view.download_episodes, recorded.download_episodes),
    ):
        asked(answer, None, view, concurrency_limit=RUNS_AT_ONCE, trigger_mode="multiple", **COMMON)
    page.unload(desk.leave)


class _Modules(StaticFiles):
    """The page's ES modules. A browser keeps them and asks each time whether they are still the newest (ETag)."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        if response.status_code == HTTPStatus.OK:
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"  # whatever this machine's own table of types says
        return response


def serve(bench: Bench, host: str = "127.0.0.1", port: int | None = None, block: bool = True) -> gr.Blocks:
    """Serve the page, then prepare the bundled policies behind it. `port` None: 7860, or the next free one.

    Returns the running page when `block` is False; `close()` ends it. Raises `InvalidInput` for a port that is taken.
    """
    gr.set_static_paths(list(bench.video_folders()))
    page = build_page(bench)
    page.queue(default_concurrency_limit=None)
    _launch(page, host, port)
    print(f"vla-demo is on {page.local_url} (Ctrl-C ends it)", flush=True)
    threading.Thread(target=bench.warm_up, name="warm-up", daemon=True).start()
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
            app_kwargs={"routes": [Mount("/page/js", _Modules(directory=PAGE_FILES / "js"))]},
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
