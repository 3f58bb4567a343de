"""What happens when the page asks: a visit, a policy, an episode, a run, a stop. Each answer is a stream of messages.

State belongs to a session (one browser tab): visitors share the bench and nothing else. Gradio only carries requests in and messages out.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.bench import Bench, Run
from vla_demo.ui.shared.link import MAX_SEED, read_link
from vla_demo.ui.shared.messages import Message, Strip
from vla_demo.ui.shared.session import Session, asked_variant, packaged
from vla_demo.ui.shared.toasts import complain, told
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import RunRequest

__all__ = ["ReplayDesk", "batches"]

BATCH_SECONDS = 0.05


@dataclass(slots=True)
class _Running:
    """A run as its session remembers it: what Stop needs to end it and to report on it."""

    id: str
    run: Run
    package: PolicyPackage
    played: list[ReplayStep] = field(default_factory=list)
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
        self.run.stop()

    def report(self) -> Message:
        """Asked for after the first frame."""
        return messages.report(self.id, self.run, self.played, self.package.spec.noise_shape is not None)


@dataclass(slots=True)
class _Session(Session):
    """With the run, if one goes on."""

    running: _Running | None = None

    def begin(self, work: str) -> threading.Event:
        stopping = Session.begin(self, work)
        self.running = None
        return stopping

    def stop(self) -> None:
        Session.stop(self)
        if self.running is not None:
            self.running.stop()


class ReplayDesk:
    """The handlers of the replay view. One for the whole app; `_sessions` keeps visitors apart.

    Stop is ours, not Gradio's `cancels`: that goes by handler, waits for the step in progress, and would hit the run started meanwhile.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sessions: dict[str, _Session] = defaultdict(_Session)

    @told("view")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        cards = self._bench.episodes()
        view, wrong = read_link(dict(request.query_params), self._bench.bundled(), [card.index for card in cards])
        complain(wrong)
        yield messages.opening(view, self._bench.bundled(), cards, self._bench.recording(view.episode), file_url)

    @told("policy")
    def open_policy(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        work, source, stop = str(asked.run), str(asked.source), self._session(request).begin(str(asked.run))
        spec = self._bench.sketch(source)
        variant = None
        if spec is not None:
            variant = asked_variant(asked.variant, spec)
            yield messages.sketch(work, self._strip(spec, variant))
        package = yield from packaged(self._bench, source, work, stop)
        yield messages.policy(work, package, self._strip(package.spec, variant or asked_variant(asked.variant, package.spec)))

    @told("episode")
    def open_episode(self, asked: gr.EventData) -> Iterator[Message]:
        yield messages.episode(self._bench.recording(int(asked.index)), file_url)

    @told("run")
    def run_variant(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, work = self._session(request), str(asked.run)
        package = yield from packaged(self._bench, str(asked.policy), work, session.begin(work))
        wanted = RunRequest(str(asked.policy), Variant.parse(str(asked.variant), package.spec), int(asked.episode), _seed(asked.seed))
        running = session.running = _Running(work, self._bench.run(wanted), package)
        yield from self._stream(running)
        if running.played and not running.stopped:
            yield running.report()

    def stop_run(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Answers beside the queue, with what the run had measured; the run itself ends at its next step."""
        session = self._session(request)
        if session.work != asked.run:  # a late request: something else has begun since
            return gr.skip()
        session.stop()
        return session.running.report() if session.running and session.running.played else gr.skip()

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self._sessions.pop(str(request.session_hash), _Session()).stop()

    def _session(self, request: gr.Request) -> _Session:
        return self._sessions[str(request.session_hash)]

    def _strip(self, spec: PolicySpec, variant: Variant) -> Strip:
        return Strip(spec, variant, self._bench.fps(), self._bench.recipes(spec.family))

    def _stream(self, running: _Running) -> Iterator[Message]:
        chunks = 0
        try:
            for batch in batches(running.run.steps(), running.package.spec.n_action_steps):
                if running.stopped:
                    return
                if isinstance(batch, Preparing):
                    yield messages.progress(batch, running.id)
                    continue
                running.played += batch
                chunks += sum(step.starts_chunk for step in batch)
                yield messages.steps(running.id, batch, chunks)
        finally:
            running.run.stop()  # a closed tab and an error end here too: nobody will ask for another frame


def batches(steps: Iterable[Preparing | ReplayStep], executed: int) -> Iterator[Preparing | list[ReplayStep]]:
    """Frames in groups of about `BATCH_SECONDS`: often enough to look alive, few enough to cost nothing.

    A chunk's first frame goes out at once, and so does its last, because the next one only comes after an inference.
    """
    batch: list[ReplayStep] = []
    sent = since = 0.0
    for step in steps:
        if isinstance(step, Preparing):
            yield step
            continue
        batch.append(step)
        since = 0 if step.starts_chunk else since + 1
        is_last = since + 1 == executed or step.frame + 1 == step.frames
        if step.starts_chunk or is_last or time.monotonic() - sent > BATCH_SECONDS:
            yield batch
            batch, sent = [], time.monotonic()
    if batch:
        yield batch


def file_url(file: Path) -> str:
    """Relative to the app's root, which only the browser knows; answered with byte ranges, so that a video can be sought."""
    return f"gradio_api/file={quote(str(file))}"


def _seed(value: Any) -> int:
    return min(max(int(value), 0), MAX_SEED)
