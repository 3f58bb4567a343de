"""What happens when the page asks: a visit, a policy, an episode, a run, a stop. Each answer is a stream of messages.

State belongs to a session (one browser tab): visitors share the bench and nothing else. Gradio only carries requests in and messages out.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from vla_demo.core.errors import PackageError, UnknownVariant
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.ui import messages
from vla_demo.ui.bench import Bench, Run
from vla_demo.ui.link import MAX_SEED, read_link
from vla_demo.ui.messages import Message
from vla_demo.ui.toasts import complain, told
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replays import RunRequest

__all__ = ["ReplayDesk", "batches"]

BATCH_SECONDS = 0.05


@dataclass(slots=True)
class _Running:
    """A run as its session remembers it: what Stop needs to report on."""

    id: str
    run: Run
    package: PolicyPackage
    played: list[ReplayStep] = field(default_factory=list)

    def report(self) -> Message:
        """Asked for after the first frame."""
        return messages.report(self.id, self.run, self.played, self.package.spec.noise_shape is not None)


class ReplayDesk:
    """The handlers of the replay view. One for the whole app; `_running` keeps sessions apart."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._running: dict[str, _Running] = {}

    @told("view")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        cards = self._bench.episodes()
        view, wrong = read_link(dict(request.query_params), self._bench.bundled(), [card.index for card in cards])
        complain(wrong)
        yield messages.opening(view, self._bench.bundled(), cards, self._bench.recording(view.episode), file_url)

    @told("policy")
    def open_policy(self, asked: gr.EventData) -> Iterator[Message]:
        package = yield from self._package(str(asked.source))
        yield messages.policy(package, self._variant(asked.variant, package), self._bench.fps())

    @told("episode")
    def open_episode(self, asked: gr.EventData) -> Iterator[Message]:
        yield messages.episode(self._bench.recording(int(asked.index)), file_url)

    @told("run")
    def run_variant(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        run_id, session = str(asked.run), str(request.session_hash)
        package = yield from self._package(str(asked.policy), run_id)
        wanted = RunRequest(str(asked.policy), Variant.parse(str(asked.variant), package.spec), int(asked.episode), _seed(asked.seed))
        running = self._running[session] = _Running(run_id, self._bench.run(wanted), package)
        yield from self._stream(running)
        if self._running.get(session) is running:
            del self._running[session]
        if running.played:
            yield running.report()

    def stop_run(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Runs beside the queue. The running stream is cancelled by the event itself; this reports on what it had measured."""
        running = self._running.pop(str(request.session_hash), None)
        if running is None or running.id != asked.run:
            return gr.skip()
        running.run.stop()
        return running.report() if running.played else gr.skip()

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self._running.pop(str(request.session_hash), None)

    def _package(self, source: str, run_id: str | None = None) -> Generator[Message, None, PolicyPackage]:
        """Streams the preparation, returns the package."""
        for step in self._bench.open_package(source):
            if isinstance(step, PolicyPackage):
                return step
            yield messages.progress(step, run_id)
        raise PackageError(f"preparing {source} ended without a package")

    def _variant(self, text: str | None, package: PolicyPackage) -> Variant:
        """The variant a link asks for, or FP32 with a toast when the policy has no such thing."""
        try:
            return Variant.parse(text or "", package.spec)
        except UnknownVariant as error:
            complain([f"{error}; showing FP32."])
            return Variant.reference(package.spec)

    def _stream(self, running: _Running) -> Iterator[Message]:
        chunks = 0
        try:
            for batch in batches(running.run.steps(), running.package.spec.chunk_size):
                if isinstance(batch, Preparing):
                    yield messages.progress(batch, running.id)
                    continue
                running.played += batch
                chunks += sum(step.starts_chunk for step in batch)
                yield messages.steps(running.id, batch, chunks)
        finally:
            running.run.stop()  # Stop, a closed tab and an error all end here: nobody will ask for another frame


def batches(steps: Iterable[Preparing | ReplayStep], chunk_size: int) -> Iterator[Preparing | list[ReplayStep]]:
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
        is_last = since + 1 == chunk_size or step.frame + 1 == step.frames
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
