"""One rollout of a control loop: what the loop did tick by tick, and what became of the task. It knows no world and no policy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import DeadlineMissed
from vla_demo.evaluation.attempts import Attempts, AttemptTally
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.runtime.control_loop import ControlLoop, Tick

__all__ = ["Judgement", "LoopReport", "Rollout", "RolloutTick", "TriedStart", "loop_report", "rollout", "summarize_rollout"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge sees after a tick."""

    held: bool
    in_goal: bool
    success: bool


@dataclass(frozen=True, slots=True)
class RolloutTick:
    """A tick of the loop and what the judge says after it."""

    tick: Tick
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class LoopReport:
    """How the loop fared. Jumps and jerk are of the commanded actions in standard deviations; a hold repeats the last action."""

    ticks: int
    starved_ticks: int  # without an action: the body held
    inferences: int  # answered
    actions_received: int
    stale_actions: int  # of those, dropped because their step had gone by
    late_ticks: int  # more than a control period behind the schedule
    failed_inferences: int  # that raised, answered what cannot be acted on, or
    deadline_misses: int  # of those, did not answer in time
    queue_depths: tuple[int, ...]  # actions that wait after each tick
    boundary_jump: float | None  # mean |step| where one chunk follows another, over the median |step| inside chunks
    jerk: float | None  # f^3 times the root mean square third difference, per second cubed; see `smoothness`
    observation_age: float | None  # s, median over executed actions, since what they were planned from was seen

    @property
    def idle_share(self) -> float:
        return self.starved_ticks / self.ticks

    @property
    def stale_share(self) -> float | None:
        return self.stale_actions / self.actions_received if self.actions_received else None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One start, tried once."""

    attempts: Attempts
    loop: LoopReport


@dataclass(frozen=True, slots=True)
class TriedStart:
    """One start and what came of it."""

    number: int  # of the start
    cluster: int
    rollout: Rollout


def rollout(loop: ControlLoop, judge: Callable[[], Judgement], most_ticks: int) -> Iterator[RolloutTick]:
    """Runs until the judge says success, at most `most_ticks`; stop iterating to stop."""
    for tick in loop.ticks():
        judgement = judge()
        yield RolloutTick(tick, judgement)
        if judgement.success or tick.index + 1 >= most_ticks:
            return


def summarize_rollout(ticks: Sequence[RolloutTick], fps: float, scale: ActionScale) -> Rollout:
    """What a finished (or stopped) rollout amounts to. `ticks` is not empty."""
    tally = AttemptTally()
    for each in ticks:
        tally.add(each.judgement.held, each.judgement.in_goal, each.judgement.success)
    return Rollout(tally.attempts(), loop_report([each.tick for each in ticks], fps, scale))


def loop_report(ticks: Sequence[Tick], fps: float, scale: ActionScale) -> LoopReport:
    arrivals = [tick.arrived.merged for tick in ticks if tick.arrived is not None]
    failures = [tick.failed for tick in ticks if tick.failed is not None]
    ages = [tick.observation_age for tick in ticks if tick.observation_age is not None]
    stale = sum(merged.stale for merged in arrivals)
    return LoopReport(
        ticks=len(ticks),
        starved_ticks=sum(tick.action is None for tick in ticks),
        inferences=len(arrivals),
        actions_received=stale + sum(merged.overlapping + merged.fresh for merged in arrivals),
        stale_actions=stale,
        late_ticks=sum(tick.late > 1 / fps for tick in ticks),
        failed_inferences=len(failures),
        deadline_misses=sum(isinstance(failure, DeadlineMissed) for failure in failures),
        queue_depths=tuple(tick.queue_depth for tick in ticks),
        boundary_jump=_boundary_jump(ticks, scale),
        jerk=_jerk(ticks, fps, scale),
        observation_age=float(np.median(ages)) if ages else None,
    )


def _boundary_jump(ticks: Sequence[Tick], scale: ActionScale) -> float | None:
    executed = [(tick.chunk, scale.normalized(tick.action)) for tick in ticks if tick.action is not None]
    inside, across = list[float](), list[float]()
    for (chunk, before), (next_chunk, after) in pairwise(executed):
        (inside if chunk == next_chunk else across).append(float(np.linalg.norm(after - before)))
    usual = float(np.median(inside)) if inside else 0.0
    return float(np.mean(across)) / usual if across and usual > 0 else None


def _jerk(ticks: Sequence[Tick], fps: float, scale: ActionScale) -> float | None:
    commanded, last = list[NDArray[np.float64]](), None
    for tick in ticks:
        last = scale.normalized(tick.action) if tick.action is not None else last
        if last is not None:
            commanded.append(last)
    return float(fps**3 * np.sqrt(np.mean(np.square(np.diff(commanded, n=3, axis=0))))) if len(commanded) > 3 else None
