"""What happens in the Closed loop tab when the page asks, live part: a policy, a start, a timing, a run, a stop. Each answer is a stream of
messages; only `weigh`, which a slider asks while it moves, answers directly.

State belongs to a session (one browser tab). Gradio only carries requests in and messages out.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from vla_demo.core.errors import InvalidInput, MissingPiece, VlaDemoError
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.roofline import FULL_SIZE
from vla_demo.runtime.control_loop import LoopSettings, Tick
from vla_demo.ui.loop import messages as loop_messages
from vla_demo.ui.loop import words as loop_words
from vla_demo.ui.loop.link import MOST_LATENCY_MS, read_loop_link
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.bench import Acting, Bench
from vla_demo.ui.shared.messages import Message, Strip
from vla_demo.ui.shared.session import Session, asked_variant, packaged
from vla_demo.ui.shared.toasts import complain, told
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.dry_run import dry_run
from vla_demo.workbench.rollout.live import LaneEnd, LiveFrame, LiveRequest

__all__ = ["LoopDesk"]

BATCH_SECONDS = 0.08
DRY_SECONDS = 60.0  # what is expected is drawn for at most so long: a rollout's patience
_MOST_ACTIONS = 1000


@dataclass(slots=True)
class _Session(Session):
    """With the lanes, if they act."""

    acting: Acting | None = None

    def stop(self) -> None:
        Session.stop(self)
        if self.acting is not None:
            self.acting.stop()


class LoopDesk:
    """The handlers of the Closed loop view. One for the whole app; `_sessions` keeps visitors apart."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sessions: dict[str, _Session] = defaultdict(_Session)
        self._specs: dict[str, PolicySpec] = {}  # of the policies that were opened

    @told("loop")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies and starts there are, and what the link is about; without the twin, what to install."""
        params = dict(request.query_params)
        try:
            starts = self._bench.loop_starts()
        except MissingPiece as error:
            yield loop_messages.setting(self._bench.bundled(), (), None, str(error))
            return
        view, wrong = read_loop_link(params, self._bench.bundled(), [card.number for card in starts], loop_messages.RATES)
        if params.get("tab") == "loop":
            complain(wrong)
        yield loop_messages.setting(self._bench.bundled(), starts, view, "")

    @told("policy")
    def open_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        work, source, stop = str(asked.run), str(asked.source), self._session(request).begin(str(asked.run))
        texts = [str(text or "") for text in asked.variants]
        spec = self._bench.sketch(source)
        if spec is not None:
            self._specs[source] = spec
            yield loop_messages.sketch(work, self._strips(spec, texts))
        package = yield from packaged(self._bench, source, work, stop)
        self._specs[source] = package.spec
        yield loop_messages.policy(work, package, self._strips(package.spec, texts))

    @told("start")
    def show_start(self, asked: gr.EventData) -> Iterator[Message]:
        shown = self._bench.loop_scene(int(asked.start))
        yield messages.message("scene", start=int(asked.start), pictures=loop_messages.pictures(shown))

    @told("timing")
    def time_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        work, source = str(asked.run), str(asked.policy)
        stop = self._session(request).begin(work)
        package = yield from packaged(self._bench, source, work, stop)
        for step in self._bench.time_here(source, Variant.parse(str(asked.variant), package.spec)):
            if stop.is_set():
                return
            yield messages.progress(step, work) if isinstance(step, Preparing) else loop_messages.timed(work, step)

    @told("run")
    def run_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, work = self._session(request), str(asked.run)
        package = yield from packaged(self._bench, str(asked.policy), work, session.begin(work))
        acting = session.acting = self._bench.act(_request(asked, package.spec))
        try:
            yield from _stream(work, acting, int(asked.seed))
        finally:
            acting.stop()  # a closed tab and an error end here too: nobody will ask for another frame

    def stop_loop(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Answers beside the queue; the lanes end at their next tick and tell what they had measured."""
        session = self._session(request)
        if session.work == asked.run:  # else a late request: something else has begun since
            session.stop()
        return gr.skip()

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self._sessions.pop(str(request.session_hash), _Session()).stop()

    def weigh(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What a latency means for these settings, by the rules and by the loop itself without a world."""
        try:
            return self._weighed(asked)
        except (VlaDemoError, KeyError, TypeError, ValueError) as error:
            return {"problem": str(error)}

    def _weighed(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        latency, fps, threshold, window = (
            _latency(asked["latency"]).seconds,
            float(asked["fps"]),
            float(asked["threshold"]),
            _window(asked["window"]),
        )
        lanes = [(str(lane["mode"]), _actions(lane["actions"])) for lane in asked["lanes"]]
        settings = [LoopSettings(actions, fps, mode, threshold) for mode, actions in lanes]
        rules = loop_words.rules(latency, _actions(asked["chunk"]), fps, threshold)
        return {
            **rules,
            "reading": rules["reading"] + loop_words.pace(fps, self._bench.fps()),
            "lanes": [
                {**loop_words.expected(mode, latency, actions, fps, threshold), **loop_messages.trace(dry_run(each, latency, window))}
                for (mode, actions), each in zip(lanes, settings, strict=True)
            ],
            "predicted": [self._predicted(str(asked["policy"]), str(lane["variant"])) for lane in asked["lanes"]],
            "boards": self._boards(str(asked["policy"])),
        }

    def _boards(self, source: str) -> list[dict[str, Any]]:
        spec = self._specs.get(source)
        return [] if spec is None else [loop_words.on_board(found) for found in self._bench.board_latencies(spec)]

    def _predicted(self, source: str, text: str) -> dict[str, Any] | None:
        """None for a policy that is not open and for a family whose full-size policy nobody has counted."""
        spec = self._specs.get(source)
        if spec is None or spec.family not in FULL_SIZE:
            return None
        return loop_words.predicted(spec.family, Variant.parse(text, spec))

    def _strips(self, spec: PolicySpec, texts: list[str]) -> list[Strip]:
        return [Strip(spec, asked_variant(text, spec), self._bench.fps(), self._bench.recipes(spec.family)) for text in texts]

    def _session(self, request: gr.Request) -> _Session:
        return self._sessions[str(request.session_hash)]


def _stream(work: str, acting: Acting, seed: int) -> Iterator[Message]:
    """Frames in groups of about `BATCH_SECONDS`; at the end one report of all lanes.

    It repeats the last group: a browser that gets two messages in one go only hears of the second.
    """
    waiting, last, ends, sent = list[LiveFrame](), list[LiveFrame](), list[LaneEnd](), 0.0
    ticks = defaultdict[int, list[Tick]](list)
    for step in acting.steps():
        if isinstance(step, Preparing):
            yield messages.progress(step, work)
        elif isinstance(step, LaneEnd):
            ends.append(step)
        else:
            waiting.append(step)
            ticks[step.lane] += [each.tick for each in step.ticks]
            if time.monotonic() - sent > BATCH_SECONDS:
                yield loop_messages.frames(work, waiting)
                last, waiting, sent = waiting, [], time.monotonic()
    if ends:
        yield {**loop_messages.report(work, ends, ticks, seed), **loop_messages.shots(last + waiting)}


def _request(asked: gr.EventData, spec: PolicySpec) -> LiveRequest:
    plain = RolloutRequest(
        Variant.reference(spec), _latency(asked.latency), fps=float(asked.fps), threshold=float(asked.threshold), seed=int(asked.seed)
    )
    lanes = tuple(replace(plain, variant=Variant.parse(str(lane["variant"]), spec), mode=str(lane["mode"])) for lane in asked.lanes)
    return LiveRequest(str(asked.policy), lanes, int(asked.start))


def _latency(ms: Any) -> LatencySource:
    value = float(ms)
    if not math.isfinite(value) or not 0 <= value <= MOST_LATENCY_MS:
        raise InvalidInput(f"a latency of {ms} ms is out of range; valid: 0 to {MOST_LATENCY_MS}")
    return LatencySource(value / 1e3, "given", "as the slider stands")


def _actions(count: Any) -> int:
    if not 1 <= int(count) <= _MOST_ACTIONS:
        raise InvalidInput(f"{count} actions a chunk are out of range; valid: 1 to {_MOST_ACTIONS}")
    return int(count)


def _window(seconds: Any) -> float:
    return min(max(float(seconds), 1.0), DRY_SECONDS)
