"""What happens in the Closed loop tab when the page asks, live part: a policy, a start, a timing, a run, a stop. Each answer is a stream of
messages; only `weigh`, which a slider asks while it moves, answers directly. The batch below it has a file of its own.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.evaluation.roofline import FULL_SIZE
from vla_demo.runtime.control_loop import LoopSettings, Tick
from vla_demo.ui.loop import messages as loop_messages
from vla_demo.ui.loop import words as loop_words
from vla_demo.ui.loop.batch import BatchPart
from vla_demo.ui.loop.contract import Lanes, Rollouts
from vla_demo.ui.loop.link import MOST_LATENCY_MS, read_loop_link
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.contract import Library
from vla_demo.ui.shared.messages import Message, Strip
from vla_demo.ui.shared.opening import asked_variant, open_package
from vla_demo.ui.shared.pictures import jpegs
from vla_demo.ui.shared.session import Sessions
from vla_demo.ui.shared.tab import RUNS_AT_ONCE, Event, ServerFunction
from vla_demo.ui.shared.toasts import answer_or_problem, reports_failures, warn
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.dry_run import dry_run
from vla_demo.workbench.rollout.live import LaneEnd, LiveFrame, LiveRequest

__all__ = ["LoopTab"]

BATCH_SECONDS = 0.08
DRY_SECONDS = 60.0  # what is expected is drawn for at most so long: a rollout's patience
_MOST_ACTIONS = 1000


class LoopTab:
    """The handlers of the Closed loop tab."""

    name = "loop"
    styles = ("controls", "strip", "scrub", "loop", "loop_batch")

    def __init__(self, policies: Library, rollouts: Rollouts) -> None:
        self._policies, self._rollouts = policies, rollouts
        self.sessions = Sessions[Lanes]()
        self._specs: dict[str, PolicySpec] = {}  # of the policies that were opened
        self.batch = BatchPart(policies, rollouts)

    def events(self) -> Sequence[Event]:
        return (
            Event("open_loop", self.open_loop),
            Event("show_start", self.show_start, 2, trigger="always_last"),
            Event("time_loop", self.time_loop, 1),
            Event("run_loop", self.run_loop, RUNS_AT_ONCE),
            Event("stop_loop", self.sessions.stop, queue=False),
            *self.batch.events(),
        )

    def server_functions(self) -> Sequence[ServerFunction]:
        return (self.weigh,)

    @reports_failures("loop")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies and starts there are, and what the link is about; without the twin, what to install."""
        params, bundled = dict(request.query_params), self._policies.bundled()
        try:
            starts = self._rollouts.starts()
        except MissingPiece as error:
            yield loop_messages.setting(bundled, (), None, [str(error)])
            return
        view, wrong = read_loop_link(params, bundled, [card.number for card in starts], loop_messages.RATES)
        if params.get("tab") == "loop":
            warn(wrong)
        yield loop_messages.setting(bundled, starts, view)

    @reports_failures("policy")
    def open_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, source = self.sessions.begin(asked, request), str(asked.source)
        texts = [str(text or "") for text in asked.variants]
        spec = self._policies.sketch(source)
        if spec is not None:
            self._specs[source] = spec
            yield loop_messages.sketch(session.work, self._strips(spec, texts))
        package = yield from open_package(self._policies, source, session)
        self._specs[source] = package.spec
        yield loop_messages.policy(session.work, package, self._strips(package.spec, texts))

    @reports_failures("start")
    def show_start(self, asked: gr.EventData) -> Iterator[Message]:
        shown = self._rollouts.scene(int(asked.start))
        yield messages.message("scene", start=int(asked.start), pictures=jpegs(shown))

    @reports_failures("timing")
    def time_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, source = self.sessions.begin(asked, request), str(asked.policy)
        package = yield from open_package(self._policies, source, session)
        for step in self._rollouts.time_here(source, Variant.parse(str(asked.variant), package.spec)):
            if session.stopping.is_set():
                return
            yield messages.progress(step, session.work) if isinstance(step, Preparing) else loop_messages.timed(session.work, step)

    @reports_failures("run")
    def run_loop(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session = self.sessions.begin(asked, request)
        package = yield from open_package(self._policies, str(asked.policy), session)
        lanes = session.attach(self._rollouts.act(_request(asked, package.spec)))
        try:
            yield from _stream(session.work, lanes, int(asked.seed))
        finally:
            lanes.stop()  # a closed tab and an error end here too: nobody will ask for another frame

    def leave(self, request: gr.Request) -> None:
        self.sessions.leave(request)
        self.batch.leave(request)

    def weigh(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What a latency means for these settings, by the rules and by the loop itself without a world."""
        return answer_or_problem(lambda: self._weigh(asked))

    def _weigh(self, asked: Mapping[str, Any]) -> dict[str, Any]:
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
            "reading": rules["reading"] + loop_words.pace(fps, self._policies.fps()),
            "lanes": [
                {**loop_words.expected(mode, latency, actions, fps, threshold), **loop_messages.trace(dry_run(each, latency, window))}
                for (mode, actions), each in zip(lanes, settings, strict=True)
            ],
            "predicted": [self._predicted(str(asked["policy"]), str(lane["variant"])) for lane in asked["lanes"]],
            "boards": self._boards(str(asked["policy"])),
        }

    def _boards(self, source: str) -> list[dict[str, Any]]:
        spec = self._specs.get(source)
        return [] if spec is None else [loop_words.on_board(found) for found in self._rollouts.board_latencies(spec)]

    def _predicted(self, source: str, text: str) -> dict[str, Any] | None:
        """None for a policy that is not open and for a family whose full-size policy nobody has counted."""
        spec = self._specs.get(source)
        if spec is None or spec.family not in FULL_SIZE:
            return None
        return loop_words.predicted(spec.family, Variant.parse(text, spec))

    def _strips(self, spec: PolicySpec, texts: list[str]) -> list[Strip]:
        return [Strip(spec, asked_variant(text, spec), self._policies.fps(), self._policies.recipes(spec.family)) for text in texts]


def _stream(work: str, lanes: Lanes, seed: int) -> Iterator[Message]:
    """Frames in groups of about `BATCH_SECONDS`; at the end one report of all lanes.

    It repeats the last group: a browser that gets two messages in one go only hears of the second.
    """
    waiting, last, ends, sent = list[LiveFrame](), list[LiveFrame](), list[LaneEnd](), 0.0
    ticks = defaultdict[int, list[Tick]](list)
    for step in lanes.steps():
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
