"""The work of visitors: each browser tab has at most one piece of it in a tab of the page, and beginning another stops the last."""

import threading
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from vla_demo.ui.shared.contract import Stoppable

__all__ = ["Sessions", "VisitorWork"]


@dataclass(slots=True)
class VisitorWork[Running: Stoppable]:
    """A visitor's piece of work."""

    work: str  # the page's name for it
    stopping: threading.Event = field(default_factory=threading.Event)
    running: Running | None = None  # what is stopped with it, once there is something

    def attach(self, running: Running) -> Running:
        """`running` is stopped with this work, at once when that was stopped before."""
        self.running = running
        if self.stopping.is_set():
            running.stop()
        return running

    def stop(self) -> None:
        """From any thread."""
        self.stopping.set()
        if self.running is not None:
            self.running.stop()


class Sessions[Running: Stoppable]:
    """Keeps visitors apart.

    Stop is ours, not Gradio's `cancels`: that goes by handler, waits for the step in progress, and would hit the run started meanwhile.
    """

    def __init__(self) -> None:
        self._newest: dict[str, VisitorWork[Running]] = {}  # by visitor

    def __len__(self) -> int:
        return len(self._newest)

    def begin(self, asked: gr.EventData, request: gr.Request) -> VisitorWork[Running]:
        """The piece of work that `asked.run` names; the visitor's last one is stopped."""
        self.leave(request)
        begun = self._newest[str(request.session_hash)] = VisitorWork[Running](str(asked.run))
        return begun

    def stop_if(self, asked: gr.EventData, request: gr.Request) -> VisitorWork[Running] | None:
        """Stop the visitor's work, and return it, if `asked.run` names it; None for a late request: something else has begun since."""
        session = self._newest.get(str(request.session_hash))
        if session is None or session.work != asked.run:
            return None
        session.stop()
        return session

    def stop(self, asked: gr.EventData, request: gr.Request) -> Any:
        """The handler of an event that only stops: it answers beside the queue, the work ends at its next step and says what there is."""
        self.stop_if(asked, request)
        return gr.skip()

    def leave(self, request: gr.Request) -> None:
        """The visitor has gone: what they had going on is stopped and forgotten."""
        session = self._newest.pop(str(request.session_hash), None)
        if session is not None:
            session.stop()
