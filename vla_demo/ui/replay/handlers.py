"""What happens when the Replay tab asks: a visit, a policy, an episode, a run, a stop. Each answer is a stream of messages.

Visitors share the workbench and nothing else. Gradio only carries requests in and messages out.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayStep
from vla_demo.ui.replay import messages as replay_messages
from vla_demo.ui.replay.contract import Replays, Run
from vla_demo.ui.replay.link import read_link
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.contract import Library
from vla_demo.ui.shared.link import MAX_SEED
from vla_demo.ui.shared.messages import Message, Strip
from vla_demo.ui.shared.opening import asked_variant, open_package
from vla_demo.ui.shared.session import Sessions
from vla_demo.ui.shared.tab import RUNS_AT_ONCE, Event, ServerFunction
from vla_demo.ui.shared.toasts import reports_failures, warn
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.run import RunRequest

__all__ = ["ReplayTab", "group_frames"]

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
        return replay_messages.report(self.id, self.run, self.played, self.package.spec.noise_shape is not None)


class ReplayTab:
    """The handlers of the Replay tab."""

    name = "replay"
    styles = ("controls", "strip", "scrub", "replay")

    def __init__(self, policies: Library, replays: Replays) -> None:
        self._policies, self._replays = policies, replays
        self.sessions = Sessions[_Running]()

    def events(self) -> Sequence[Event]:
        return (
            Event("open_policy", self.open_policy),
            Event("open_episode", self.open_episode, trigger="always_last"),
            Event("run_variant", self.run_variant, RUNS_AT_ONCE),
            Event("stop_run", self.stop_run, queue=False),
        )

    def server_functions(self) -> Sequence[ServerFunction]:
        return ()

    @reports_failures("view", toast=False)
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies and episodes there are, and what the link is about."""
        cards, bundled = self._replays.episodes(), self._policies.bundled()
        view, wrong = read_link(dict(request.query_params), bundled, [card.index for card in cards])
        warn(wrong)
        yield replay_messages.opening(view, bundled, cards, self._replays.episode(view.episode))

    @reports_failures("policy")
    def open_policy(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, source = self.sessions.begin(asked, request), str(asked.source)
        spec = self._policies.sketch(source)
        variant = None
        if spec is not None:
            variant = asked_variant(asked.variant, spec)
            yield messages.sketch(session.work, self._strip(spec, variant))
        package = yield from open_package(self._policies, source, session)
        yield messages.policy(session.work, package, self._strip(package.spec, variant or asked_variant(asked.variant, package.spec)))

    @reports_failures("episode")
    def open_episode(self, asked: gr.EventData) -> Iterator[Message]:
        yield replay_messages.episode(self._replays.episode(int(asked.index)))

    @reports_failures("run")
    def run_variant(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, policy = self.sessions.begin(asked, request), str(asked.policy)
        package = yield from open_package(self._policies, policy, session)
        wanted = RunRequest(policy, Variant.parse(str(asked.variant), package.spec), int(asked.episode), _seed(asked.seed))
        running = session.attach(_Running(session.work, self._replays.run(wanted), package))
        yield from _stream(running)
        if running.played and not running.stopped:
            yield running.report()

    def stop_run(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Answers beside the queue, with what the run had measured; the run itself ends at its next step."""
        session = self.sessions.stop_if(asked, request)
        running = session.running if session is not None else None
        return running.report() if running is not None and running.played else gr.skip()

    def leave(self, request: gr.Request) -> None:
        self.sessions.leave(request)

    def _strip(self, spec: PolicySpec, variant: Variant) -> Strip:
        return Strip(spec, variant, self._policies.fps(), self._policies.recipes(spec.family))


def _stream(running: _Running) -> Iterator[Message]:
    chunks = 0
    try:
        for batch in group_frames(running.run.steps(), running.package.spec.n_action_steps):
            if running.stopped:
                return
            if isinstance(batch, Preparing):
                yield messages.progress(batch, running.id)
                continue
            running.played += batch
            chunks += sum(step.starts_chunk for step in batch)
            yield replay_messages.steps(running.id, batch, chunks)
    finally:
        running.run.stop()  # a closed tab and an error end here too: nobody will ask for another frame


def group_frames(steps: Iterable[Preparing | ReplayStep], executed: int) -> Iterator[Preparing | list[ReplayStep]]:
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


def _seed(value: Any) -> int:
    return min(max(int(value), 0), MAX_SEED)
