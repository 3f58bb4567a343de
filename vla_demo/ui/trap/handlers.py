"""What happens in the Trap tab when the page asks: show what was computed, compute it anew, stop. Each answer is a stream of messages."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import gradio as gr

from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.contract import Library, Stoppable
from vla_demo.ui.shared.link import part_reader, read_policy
from vla_demo.ui.shared.messages import Message
from vla_demo.ui.shared.plot_theme import TEMPLATE
from vla_demo.ui.shared.session import Sessions
from vla_demo.ui.shared.tab import Event, ServerFunction
from vla_demo.ui.shared.toasts import reports_failures
from vla_demo.ui.trap import words as trap_words
from vla_demo.ui.trap.contract import Studies
from vla_demo.ui.trap.figures import figures
from vla_demo.workbench.progress import Preparing

__all__ = ["TrapTab", "report_message"]

REPORTS_AT_ONCE = 2  # each takes the whole machine for minutes


class TrapTab:
    """The handlers of the Trap tab. A visitor computes one report at a time."""

    name = "trap"
    styles = ("controls", "trap")

    def __init__(self, policies: Library, studies: Studies) -> None:
        self._policies, self._studies = policies, studies
        self.sessions = Sessions[Stoppable]()

    def events(self) -> Sequence[Event]:
        return (
            Event("open_trap", self.open_trap),
            Event("compute_trap", self.compute_trap, REPORTS_AT_ONCE),
            Event("stop_trap", self.sessions.stop, queue=False),
        )

    def server_functions(self) -> Sequence[ServerFunction]:
        return ()

    @reports_failures("trap")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies there are, and which one the link is about. Replay, which reads all of it, warns of a bad one."""
        bundled = self._policies.bundled()
        part, _ = part_reader(dict(request.query_params))
        yield messages.message("policies", chosen=read_policy(part, bundled), **messages.offered(bundled))

    @reports_failures("trap")
    def open_trap(self, asked: gr.EventData) -> Iterator[Message]:
        """The report there is, at once; else what computing one would mean."""
        source = str(asked.source)
        report = self._studies.report(source)
        yield report_message(source, report) if report is not None else messages.message("nothing", source=source, words=trap_words.NOTHING)

    @reports_failures("compute")
    def compute_trap(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, source = self.sessions.begin(asked, request), str(asked.source)
        with closing(self._studies.compute(source)) as steps:
            for step in steps:
                if session.stopping.is_set():
                    return
                if isinstance(step, Preparing):
                    yield messages.progress(step, session.work)
                else:
                    yield {**report_message(source, step), "run": session.work}

    def leave(self, request: gr.Request) -> None:
        self.sessions.leave(request)


def report_message(source: str, report: SensitivityReport) -> Message:
    """The whole tab: where and when it was computed, and every figure."""
    return messages.message("report", source=source, about=trap_words.computed(report), figures=figures(report), template=TEMPLATE)
