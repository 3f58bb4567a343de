"""The verb that shows a rollout while it goes on: one or two lanes from the same start, side by side in simulated time.

The ticks are those of `vla-demo rollout`, bit for bit. Each lane has a thread of its own with its own twin, because a renderer belongs to
the thread that made it; a lane that is ahead waits until the other has caught up.
"""

import logging
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from vla_demo.core.errors import InvalidInput, Stopped, VlaDemoError
from vla_demo.core.package import PolicyPackage
from vla_demo.evaluation.closed_loop import RolloutTick, TriedStart, summarize_rollout
from vla_demo.evaluation.rollout_report import RolloutReport, rollout_report
from vla_demo.runtime import Running, open_policy
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest
from vla_demo.workbench.rollout.scenes import CameraCrew, Pictures
from vla_demo.workbench.rollout.worker import begin_rollout

__all__ = ["LaneEnd", "LiveFrame", "LiveRequest", "LiveRollout", "Shown"]

logger = logging.getLogger(__name__)

SHOWN_FPS = 10  # pictures of the main camera in a simulated second; each of the others has half of that
_MOST_LANES = 2
_AHEAD = 4  # frames that may wait to be fetched
_WAIT = 0.2  # s between two looks at whether somebody said stop
_LOOK = 0.05  # s between two looks at whether a lane is through


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """One rollout a lane; what `starts` a lane names does not count, `start` does."""

    policy: str  # as `open_package` knows it
    lanes: tuple[RolloutRequest, ...]  # 1 or 2
    start: int  # number of one of the protocol's starts


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """What went on in a lane since its last frame."""

    lane: int
    ticks: tuple[RolloutTick, ...]  # at least one
    pictures: Pictures  # (H, W, 3) RGB of the cameras whose turn it is, after the last of the ticks; none when nothing has moved


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """A lane is through: success, out of patience, or stopped."""

    lane: int
    report: RolloutReport  # of one start
    stopped: bool


Shown = LiveFrame | LaneEnd


class LiveRollout:
    """Iterate `steps` once; `stop` at any time, from any thread. `places` lets so many go on at once in this process."""

    def __init__(self, request: LiveRequest, package: PolicyPackage, places: threading.Semaphore) -> None:
        self.request, self._package, self._places = request, package, places
        self._stopping = threading.Event()

    def steps(self) -> Iterator[Preparing | Shown]:
        """Progress while graphs are made and while all places are taken, then frames, and an end a lane.

        Stopped during preparation it ends without a word, later with an end a lane. Raises `InvalidInput`, `QuantizationError`.
        """
        lanes = self._lanes()
        for variant in dict.fromkeys(lane.variant for lane in self.request.lanes):
            yield from prepare_variant(self._package, variant)
        yield Preparing("Loading the graphs and setting the desk")
        if not (yield from self._wait_for_place()):
            return
        threading.Thread(target=self._run_lanes, args=(lanes,), name="loop", daemon=True).start()
        try:
            yield from _in_step(lanes)
        finally:
            self.stop()

    def stop(self) -> None:
        """The lanes end at their next tick, also when nobody asks for their frames any more."""
        self._stopping.set()

    def _lanes(self) -> "list[_Lane]":
        asked = self.request.lanes
        if not 1 <= len(asked) <= _MOST_LANES:
            raise InvalidInput(f"{len(asked)} lanes were asked for; valid: 1 to {_MOST_LANES}")
        lanes = [_Lane(i, lane, Batch.of(self._package, lane), self.request.start, self._stopping) for i, lane in enumerate(asked)]
        lanes[0].batch.start(self.request.start)  # raises at once when there is none
        return lanes

    def _wait_for_place(self) -> Generator[Preparing, None, bool]:
        """Whether there is one: there is none when it was stopped before."""
        while not self._stopping.is_set():
            if self._places.acquire(timeout=_WAIT):
                return True
            yield Preparing("Waiting for a free place: this machine lets only a few loops go on at once")
        return False

    def _run_lanes(self, lanes: "Sequence[_Lane]") -> None:
        """Keeps the place until all lanes have ended, whoever is still listening."""
        threads = [threading.Thread(target=lane.run, name=f"lane {lane.index}", daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._places.release()


def _in_step(lanes: "Sequence[_Lane]") -> Iterator[Shown]:
    """Always of the lane that is behind, so that none gets ahead by more than what its queue holds."""
    going = list(lanes)
    while going:
        lane = min(going, key=lambda one: one.seen)
        shown = lane.next()
        if isinstance(shown, LaneEnd):
            going.remove(lane)
        yield shown


@dataclass(slots=True)
class _Lane:
    """One rollout on a thread of its own, which runs `run`; whoever listens calls `next`."""

    index: int
    request: RolloutRequest
    batch: Batch
    start: int
    stopping: threading.Event
    seen: float = 0.0  # simulated s, of the last frame that was fetched
    _frames: "queue.Queue[LiveFrame]" = field(default_factory=lambda: queue.Queue(_AHEAD), init=False)
    _end: "Future[LaneEnd]" = field(default_factory=Future, init=False)

    def next(self) -> Shown:
        """Waits for it. Raises what the lane raised."""
        while True:
            through = self._end.done()  # looked at first: what was put before it is still fetched
            try:
                frame = self._frames.get(timeout=_LOOK)
            except queue.Empty:
                if through:
                    return self._end.result()
            else:
                self.seen = frame.ticks[-1].tick.at
                return frame

    def run(self) -> None:
        try:
            self._end.set_result(self._act())
        except VlaDemoError as error:
            self._end.set_exception(error)
        except Exception as error:  # a thread that dies here would keep its listener waiting for ever
            logger.exception("lane %d failed", self.index)
            self._end.set_exception(error)

    def _act(self) -> LaneEnd:
        from vla_demo.twin.world import TeaBagTwin

        job, start, twin = self.batch.job, self.batch.start(self.start), TeaBagTwin()
        try:
            begun = begin_rollout(job, start, (open_policy(job.folder, job.variant, running=Running(1)), twin))
            ticks = self._show(begun.ticks, CameraCrew(twin))
        finally:
            twin.close()
        if not ticks:
            raise Stopped("the loop was stopped before its first tick")
        tried = TriedStart(start.number, start.cluster, summarize_rollout(ticks, job.fps, begun.scale))
        report = rollout_report(self.request.variant, self.request.mode, self.request.latency, job.fps, (tried,))
        return LaneEnd(self.index, report, self.stopping.is_set())

    def _show(self, ticks: Iterator[RolloutTick], crew: CameraCrew) -> list[RolloutTick]:
        every, gone, shown = max(1, round(self.request.fps / SHOWN_FPS)), list[RolloutTick](), 0
        for tick in ticks:
            if self.stopping.is_set():
                break
            gone.append(tick)
            if tick.tick.index % every == 0 or tick.judgement.success:
                self._put(LiveFrame(self.index, tuple(gone[shown:]), crew.shoot()))
                shown = len(gone)
        if gone[shown:]:
            self._put(LiveFrame(self.index, tuple(gone[shown:]), {}))
        return gone

    def _put(self, frame: LiveFrame) -> None:
        """Waits until there is room, unless somebody says stop."""
        while True:
            try:
                return self._frames.put(frame, timeout=_WAIT)
            except queue.Full:
                if self.stopping.is_set():
                    return
