"""Demonstrations of a split, one after the other: the scripted expert's solved episodes as observations and actions.

Each start is first tried without drawing; only what succeeded is drawn. It does not know how episodes are stored.
"""

from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.observation import Observation
from vla_demo.twin.expert import Expert
from vla_demo.twin.scene import from_dataset_units, to_dataset_units
from vla_demo.twin.starts import Start, prepare, split_starts
from vla_demo.twin.world import TeaBagTwin

__all__ = ["demonstrations", "solve"]

LONGEST = 600  # ticks, 20 s
_MEMORY = np.float32(0.93)  # of a push from tick to tick: it lasts about half a second
SETTLE = 15  # ticks after the expert is done, before success is judged


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One solved episode."""

    start: Start
    frames: tuple[tuple[Observation, NDArray[np.float32]], ...]  # what was seen and the action (6,) commanded there, dataset units


def solve(twin: TeaBagTwin, start: Start) -> list[NDArray[np.float32]] | None:
    """The expert's actions (6,) in dataset units, one a tick, or None when it fails or the start cannot be staged."""
    try:
        prepare(twin, start)
    except InvalidInput:
        return None
    expert, push = Expert(twin), _pushes(start)
    actions: list[NDArray[np.float32]] = []
    while len(actions) < LONGEST:
        target = expert.act()
        if expert.done:
            break
        actions.append(to_dataset_units(target))
        twin.advance(from_dataset_units(actions[-1] + push[len(actions) - 1]))
    for _ in range(SETTLE):
        twin.hold()
    return actions if twin.measure().success else None


def demonstrations(
    split: str, image_size: tuple[int, int] = (240, 320), jobs: int = 1, only: Collection[int] | None = None
) -> Iterator[Demonstration]:
    """Every episode of a split in protocol order, or those `only` counts from 0, drawn by `jobs` processes; the same whatever `jobs` is."""
    wanted = [candidates for place, candidates in enumerate(split_starts(split)) if only is None or place in only]
    if jobs == 1:
        for candidates in wanted:
            yield _demonstrate(candidates, image_size)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Demonstration]] = deque()
        for candidates in wanted:
            waiting.append(pool.submit(_demonstrate, candidates, image_size))
            if len(waiting) > 2 * jobs:  # a window, so that drawn episodes do not pile up in memory
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _demonstrate(candidates: list[Start], image_size: tuple[int, int]) -> Demonstration:
    twin = TeaBagTwin(image_size)
    try:
        for start in candidates:
            actions = solve(twin, start)
            if actions is not None:
                return Demonstration(start, tuple(_draw(twin, start, actions)))
    finally:
        twin.close()
    raise VlaDemoError(f"the expert solved none of {len(candidates)} starts of cluster {candidates[0].cluster}")


def _draw(twin: TeaBagTwin, start: Start, actions: list[NDArray[np.float32]]) -> Iterator[tuple[Observation, NDArray[np.float32]]]:
    prepare(twin, start)
    for action, push in zip(actions, _pushes(start), strict=False):
        yield twin.observe(), action
        twin.advance(from_dataset_units(action + push))


def _pushes(start: Start) -> NDArray[np.float32]:
    """(LONGEST, 6) degrees by which the arm misses each commanded action; what is recorded is the action that would have been right.

    So a policy sees how to come back (as DART does, Laskey et al., CoRL 2017). Slow noise on all joints but the gripper.
    """
    white = np.random.default_rng([*start.seed, 8]).standard_normal((LONGEST, 6)).astype(np.float32)
    pushes = np.zeros_like(white)
    for tick in range(1, LONGEST):
        pushes[tick] = _MEMORY * pushes[tick - 1] + np.sqrt(1 - _MEMORY**2) * white[tick]
    pushes[:, -1] = 0
    return pushes * np.float32(start.disturbance)
