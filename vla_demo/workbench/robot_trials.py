"""Tasks on a robot that a person has judged: one line of JSON each in the cache folder, and the rates they come to."""

import json
import statistics
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.storage import cache_folder
from vla_demo.evaluation.statistics import wilson_interval

__all__ = ["RobotRate", "RobotTrial", "keep_trial", "robot_rates"]

_turn = threading.Lock()


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


def keep_trial(trial: RobotTrial) -> None:
    """Raises `VlaDemoError` when it cannot be written."""
    file = cache_folder() / "robot" / "trials.jsonl"
    try:
        with _turn:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(trial)) + "\n")
    except OSError as problem:
        raise VlaDemoError(f"the judgement cannot be kept in {file}: {problem.strerror}") from problem


def robot_rates() -> Sequence[RobotRate]:
    """In the order in which they were first tried. Raises `VlaDemoError` for a file that is damaged."""
    file = cache_folder() / "robot" / "trials.jsonl"
    if not file.exists():
        return ()
    groups = defaultdict[tuple[str, ...], list[RobotTrial]](list)
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            trial = RobotTrial(**json.loads(line))
            groups[trial.board, trial.kind, trial.policy, trial.variant, trial.package, trial.mode].append(trial)
    except (OSError, ValueError, TypeError) as problem:
        raise VlaDemoError(f"{file} is damaged: {problem}; move it away") from problem
    return [_rate(trials) for trials in groups.values()]


def _rate(trials: Sequence[RobotTrial]) -> RobotRate:
    first, successes = trials[0], sum(trial.success for trial in trials)
    times = [seconds for trial in trials for seconds in trial.inference_s]
    interval = wilson_interval(successes, len(trials))
    median = statistics.median(times) if times else None
    return RobotRate(first.board, first.kind, first.policy, first.variant, successes, len(trials), interval, median, len(times), first.mode)
