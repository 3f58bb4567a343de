"""What happens in the Closed loop tab when the page asks, batch part: the table there is, a batch, a film of a start, two rows in pairs."""

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import gradio as gr

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource, predicted_latency, published_latency
from vla_demo.evaluation.rollout_report import RolloutReport, name_apart, paired
from vla_demo.ui.loop import batch_words as words
from vla_demo.ui.loop.contract import Rollouts, RunningBatch
from vla_demo.ui.loop.link import MOST_LATENCY_MS
from vla_demo.ui.loop.messages import RATES
from vla_demo.ui.shared.contract import Library, Stoppable
from vla_demo.ui.shared.messages import Message, file_url, message
from vla_demo.ui.shared.opening import open_package
from vla_demo.ui.shared.session import Sessions
from vla_demo.ui.shared.tab import RUNS_AT_ONCE, Event
from vla_demo.ui.shared.toasts import reports_failures
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import RolloutRequest
from vla_demo.workbench.rollout.run import RolloutStep

__all__ = ["BatchPart", "latency_of"]

FILMS_AT_ONCE = 2  # each is a process of its own
_MOST_LANES = 2
_MOST_TEXT = 300  # characters
_SAME_MS = 1.0  # nearer is the same stop of the slider


@dataclass(frozen=True, slots=True)
class _Row:
    policy: str  # as `open_package` knows it
    report: RolloutReport
    request: RolloutRequest | None  # None: it came with the app
    revision: str | None = None  # of the checkpoint that a row of the app was measured on


class BatchPart:
    """The handlers of the batch in the Closed loop tab. A visitor has one batch and one film under way at a time.

    A visitor's rows are kept as long as their page is open: the page names them by id.
    """

    def __init__(self, policies: Library, rollouts: Rollouts) -> None:
        self._policies, self._rollouts = policies, rollouts
        self._batches, self._films = Sessions[RunningBatch](), Sessions[Stoppable]()
        self._rows = defaultdict[str, dict[str, _Row]](dict)  # by visitor, then by id
        self._numbers = count(1)  # of rows

    def events(self) -> Sequence[Event]:
        return (
            Event("open_batch", self.open_batch),
            Event("run_batch", self.run_batch, RUNS_AT_ONCE),
            Event("film_start", self.film_start, FILMS_AT_ONCE),
            Event("pair_rows", self.pair_rows),
            Event("stop_batch", self.stop_batch, queue=False),
        )

    @reports_failures("batch", "batch_failed")
    def open_batch(self, request: gr.Request) -> Iterator[Message]:
        """The rows that came with the app and the article's table."""
        bundled = self._policies.bundled()
        shipped = [_Row(found.policy, found.report, None, found.revision) for found in self._rollouts.measured()]
        rows = [self._keep(request, row) for row in shipped]
        judged = [words.judged(rate, bundled.get(rate.policy, rate.policy)) for rate in self._rollouts.robot_rates()]
        yield message("batch", rows=rows, judged=judged, article=words.article(), intro=words.INTRO, how=words.HOW)

    @reports_failures("batch", "batch_failed")
    def run_batch(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        session, source = self._batches.begin(asked, request), str(asked.policy)
        package = yield from _renamed(open_package(self._policies, source, session))
        there = [found.source() for found in self._rollouts.board_latencies(package.spec)]
        requests = _requests(asked, package.spec, there)
        for place, each in enumerate(requests):
            batch = session.attach(self._rollouts.roll_out(source, each))
            if session.stopping.is_set():
                return
            for step in _steps(batch):
                if isinstance(step, Preparing):
                    yield _progress(step, session.work, (place, len(requests)))
                else:
                    yield message("batch_row", run=session.work, row=self._keep(request, _Row(source, step, each)))
        yield message("batch_done", run=session.work)

    def stop_batch(self, asked: gr.EventData, request: gr.Request) -> Any:
        """Answers beside the queue. Stops the batch or the film of that name."""
        self._films.stop_if(asked, request)
        return self._batches.stop(asked, request)

    @reports_failures("film", "batch_failed")
    def film_start(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        row = self._row(asked.row, request)
        session = self._films.begin(asked, request)
        package = yield from _renamed(open_package(self._policies, row.policy, session), "film_progress")
        wanted = row.request or _shipped_request(row, package)
        ticks = next((start.seconds for start in row.report.starts if start.start == int(asked.start)), 0) * row.report.fps
        with closing(self._rollouts.film(row.policy, wanted, int(asked.start), round(ticks))) as filming:
            for step in filming:
                if session.stopping.is_set():
                    return
                yield _filmed(step, session.work)

    @reports_failures("pair", "batch_failed")
    def pair_rows(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        """McNemar's exact test of two rows, in a sentence."""
        one, other = (self._row(name, request) for name in (asked.first, asked.second))
        names = name_apart(one.report, other.report, (self._label(one.policy), self._label(other.policy)))
        found = paired(one.report, other.report, names)
        yield message("pair", first=asked.first, second=asked.second, sentence=found.sentence, verdict=found.verdict)

    def leave(self, request: gr.Request) -> None:
        self._batches.leave(request)
        self._films.leave(request)
        self._rows.pop(str(request.session_hash), None)

    def _keep(self, request: gr.Request, row: _Row) -> Message:
        name = f"row-{next(self._numbers)}"
        self._rows[str(request.session_hash)][name] = row
        return words.row(name, self._label(row.policy), row.report, self._splits(), row.request is None)

    def _row(self, name: Any, request: gr.Request) -> _Row:
        row = self._rows[str(request.session_hash)].get(str(name))
        if row is None:
            raise InvalidInput("this row is not known here any more; reload the page, then run it again: its starts are kept")
        return row

    def _label(self, source: str) -> str:
        return self._policies.bundled().get(source, source).partition(" ·")[0]

    def _splits(self) -> dict[int, str]:
        try:
            return {card.number: card.split for card in self._rollouts.starts()}
        except MissingPiece:  # the shipped rows are shown all the same
            return {}


def _renamed(steps: Generator[Message, None, PolicyPackage], kind: str = "batch_progress") -> Generator[Message, None, PolicyPackage]:
    """The live part has a line of progress of its own."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            package: PolicyPackage = end.value
            return package
        yield {**step, "kind": kind}


def _steps(batch: RunningBatch) -> Iterator[Preparing | RolloutReport]:
    try:
        yield from batch.steps()
    finally:
        batch.stop()  # a closed tab and an error end here too


def _progress(step: Preparing, work: str, place: tuple[int, int]) -> Message:
    known = {"done": step.done, "of": step.of, "successes": step.successes} if isinstance(step, RolloutStep) else {}
    return message("batch_progress", run=work, text=step.text, fraction=step.fraction, lane=place[0], lanes=place[1], **known)


def _filmed(step: Preparing | Path, work: str) -> Message:
    if isinstance(step, Preparing):
        return message("film_progress", run=work, text=step.text, fraction=step.fraction)
    return message("film", run=work, url=file_url(step))


def _requests(asked: gr.EventData, spec: PolicySpec, there: Sequence[LatencySource]) -> Sequence[RolloutRequest]:
    """One a lane. Raises `InvalidInput` and `UnknownVariant`."""
    if not 1 <= len(asked.lanes) <= _MOST_LANES or float(asked.fps) not in RATES:
        raise InvalidInput(f"wanted are 1 or {_MOST_LANES} lanes, at one of {', '.join(map(str, RATES))} fps")
    fps, threshold, seed = float(asked.fps), float(asked.threshold), int(asked.seed)
    found = []
    for lane in asked.lanes:
        variant = Variant.parse(str(lane["variant"]), spec)
        latency = latency_of(float(asked.latency), spec, variant, getattr(asked, "timed", None), there)
        found.append(RolloutRequest(variant, latency, str(lane["mode"]), fps, "all", threshold, seed=seed))
    return found


def latency_of(
    ms: float, spec: PolicySpec, variant: Variant, timed: Mapping[str, Any] | None, there: Sequence[LatencySource] = ()
) -> LatencySource:
    """Where the slider stands, and what that is: the article's figure, the roofline's, what was timed here (`ms`, `about`) or `there` on
    boards, or given."""
    if not 0 <= ms <= MOST_LATENCY_MS:
        raise InvalidInput(f"a latency of {ms:g} ms is out of range; valid: 0 to {MOST_LATENCY_MS}")
    for source in (*(_known(name, spec, variant) for name in ("published", "predicted")), *there):
        if source is not None and abs(source.seconds * 1e3 - ms) < _SAME_MS:
            return source
    if timed and abs(float(timed["ms"]) - ms) < _SAME_MS:
        return LatencySource(ms / 1e3, "measured", str(timed["about"])[:_MOST_TEXT])
    return LatencySource(ms / 1e3, "given", "as the slider stood")


def _known(kind: str, spec: PolicySpec, variant: Variant) -> LatencySource | None:
    try:
        return (published_latency if kind == "published" else predicted_latency)(spec, variant)
    except InvalidInput:
        return None  # a family that nobody has measured or counted


def _shipped_request(row: _Row, package: PolicyPackage) -> RolloutRequest:
    if row.revision != package.spec.revision:
        raise InvalidInput("this row was measured on another revision of the checkpoint; run it again to film its starts")
    report = row.report
    return RolloutRequest(Variant.parse(report.variant, package.spec), report.latency, report.mode, report.fps)
