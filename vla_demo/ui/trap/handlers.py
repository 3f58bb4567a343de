"""What happens in the Trap tab when the page asks: show what was computed, compute it anew, stop. Each answer is a stream of messages.

A session (one browser tab) computes one report at a time. Gradio only carries requests in and messages out.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.bench import Bench
from vla_demo.ui.shared.link import read_link
from vla_demo.ui.shared.messages import Message
from vla_demo.ui.shared.session import Session
from vla_demo.ui.shared.toasts import told
from vla_demo.ui.trap import words as trap_words
from vla_demo.ui.trap.figures import figures
from vla_demo.workbench.progress import Preparing

__all__ = ["TrapDesk", "report_message"]


class TrapDesk:
    """The handlers of the Trap view. One for the whole app; `_sessions` keeps visitors apart."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sessions: dict[str, Session] = defaultdict(Session)

    @told("trap")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies there are, and which one the link is about. Replay, which reads all of it, complains of a bad one."""
        view, _ = read_link(dict(request.query_params), self._bench.bundled(), [card.index for card in self._bench.episodes()])
        known = [{"id": name, "label": label} for name, label in self._bench.bundled().items()]
        yield messages.message("policies", policies=known, chosen=view.policy)

    @told("trap")
    def open_trap(self, asked: gr.EventData) -> Iterator[Message]:
        """The report there is, at once; else what computing one would mean."""
        source = str(asked.source)
        report = self._bench.trap_report(source)
        yield report_message(source, report) if report is not None else messages.message("nothing", source=source, words=trap_words.NOTHING)

    @told("compute")
    def compute_trap(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        work, source = str(asked.run), str(asked.source)
        stop = self._session(request).begin(work)
        with closing(self._bench.compute_trap(source)) as computing:
            for step in computing:
                if stop.is_set():
                    return
                yield messages.progress(step, work) if isinstance(step, Preparing) else {**report_message(source, step), "run": work}

    def stop_trap(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Answers beside the queue; the computation itself ends at its next step."""
        session = self._session(request)
        if session.work == asked.run:  # else a late request: something else has begun since
            session.stopping.set()
        return gr.skip()

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self._sessions.pop(str(request.session_hash), Session()).stop()

    def _session(self, request: gr.Request) -> Session:
        return self._sessions[str(request.session_hash)]


def report_message(source: str, report: SensitivityReport) -> Message:
    """The whole tab: where and when it was computed, and every figure."""
    found = report.as_json()
    return messages.message("report", source=source, about=trap_words.computed(found), figures=figures(report))
