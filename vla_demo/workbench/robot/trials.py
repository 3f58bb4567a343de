"""Tasks on a robot that a person has judged: one line of JSON each in the cache folder, and the rates they come to."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.workbench.journal import Journal

__all__ = ["RobotRate", "RobotTrial", "keep_trial", "robot_rates"]


@dataclass(frozen=True, slots=True)
class RobotTrial:
    """One task, as it was judged."""

    board: str  # the robot's name
    kind: str  # "twin", "so101"
    policy: str
    variant: str
    package: str  # its hash
    success: bool
    inference_s: tuple[float, ...]  # s, the newest of the task, as measured on the board
    mode: str = "async"  # of the loop
    task: str = ""  # of one task the newest judgement counts; empty: none of another line


@dataclass(frozen=True, slots=True)
class RobotRate:
    """All trials of one package in one variant and mode on one board."""

    board: str
    kind: str
    policy: str
    variant: str
    successes: int
    n: int
    interval: tuple[float, float]  # Wilson's 95 %
    inference_s: float | None  # median
    inferences: int  # it is of
    mode: str = "async"


_JOURNAL = Journal("robot/trials.jsonl", RobotTrial, "the judgement")


def keep_trial(trial: RobotTrial) -> None:
    """Also in place of an earlier judgement of the same task. Raises `VlaDemoError` when it cannot be written."""
    _JOURNAL.keep(trial)


def robot_rates() -> Sequence[RobotRate]:
    """In the order in which they were first tried. Raises `VlaDemoError` for a file that is damaged."""
    judged = {trial.task or line: trial for line, trial in enumerate(_JOURNAL.rows())}
    groups = defaultdict[tuple[str, ...], list[RobotTrial]](list)
    for trial in judged.values():
        groups[trial.board, trial.kind, trial.policy, trial.variant, trial.package, trial.mode].append(trial)
    return [_rate(trials) for trials in groups.values()]


def _rate(trials: Sequence[RobotTrial]) -> RobotRate:
    first, successes = trials[0], sum(trial.success for trial in trials)
    times = [seconds for trial in trials for seconds in trial.inference_s]
    interval = wilson_interval(successes, len(trials))
    median = statistics.median(times) if times else None
    return RobotRate(first.board, first.kind, first.policy, first.variant, successes, len(trials), interval, median, len(times), first.mode)
