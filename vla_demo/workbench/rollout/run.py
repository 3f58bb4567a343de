"""The verb that lets a variant act: rollouts in the twin with the latency of a board, over the protocol's starts, in several processes.

A batch goes on where it was stopped. Films are made of what was rolled out.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.closed_loop import TriedStart
from vla_demo.evaluation.latency import LatencySource, given_latency, measured_latency, predicted_latency, published_latency
from vla_demo.evaluation.replay import chunk_noise
from vla_demo.evaluation.rollout_report import RolloutReport, rollout_report
from vla_demo.runtime import open_policy
from vla_demo.workbench.machine import machine
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.latencies import board_latency
from vla_demo.workbench.rollout.batch import PATIENCE, Batch, RolloutRequest, RolloutStore
from vla_demo.workbench.rollout.video import FilmTask, film, film_name, filmable
from vla_demo.workbench.rollout.worker import stop_on, try_start
from vla_demo.workbench.side_by_side import side_by_side

__all__ = ["PATIENCE", "RolloutRequest", "RolloutStep", "check_latency", "film_rollouts", "resolve_latency", "roll_out"]

_TIMED = 5  # inferences
_BY_NAME = {"imx95-published": published_latency, "imx95-predicted": predicted_latency}


@dataclass(frozen=True, slots=True)
class RolloutStep(Preparing):
    """Progress of a batch."""

    successes: int = 0
    done: int = 0
    of: int = 0


def check_latency(text: str) -> None:
    """Raise `InvalidInput` for what is no latency of any policy; what a board has measured only a policy tells."""
    if not text.startswith("board:") and text not in (*_BY_NAME, "measured"):
        given_latency(text)


def resolve_latency(text: str, package: PolicyPackage, variant: Variant) -> LatencySource:
    """`measured` (here, now), `board:NAME` (there, once), `imx95-published`, `imx95-predicted`, or milliseconds. Raises `InvalidInput`."""
    if text.startswith("board:"):
        return board_latency(text.removeprefix("board:"), package.spec, variant)
    if text in _BY_NAME:
        return _BY_NAME[text](package.spec, variant)
    return _measured(package, variant) if text == "measured" else given_latency(text)


def roll_out(
    package: PolicyPackage, request: RolloutRequest, jobs: int = 0, stopping: threading.Event | None = None
) -> Iterator[RolloutStep | RolloutReport]:
    """Progress a start, then the report; `jobs` and `stopping` as in `side_by_side`. Closing the iterator stops; what was tried is kept.

    Raises `InvalidInput`, `Stopped`, `MissingPiece` (without MuJoCo) and `PackageError` (a graph of the variant is not made yet).
    """
    batch = Batch.of(package, request)
    store = RolloutStore.of(batch)
    found = store.read(batch)
    yield _step(found, len(batch.starts), " were tried before" if found else "")
    untried = [start for start in batch.starts if start.number not in found]
    for row in side_by_side(partial(try_start, batch.job), untried, jobs, stop_on=stop_on, stopping=stopping):
        store.write(row)
        found[row.number] = row
        yield _step(found, len(batch.starts))
    rows = tuple(found[start.number] for start in batch.starts)
    yield rollout_report(request.variant, request.mode, request.latency, request.fps, rows, store.fingerprint)


def film_rollouts(package: PolicyPackage, request: RolloutRequest, which: str, folder: Path, jobs: int = 0) -> Iterator[Preparing | Path]:
    """Films of a batch that was rolled out, `failures` or `all`, named by start, cluster and outcome: progress, and each file made."""
    batch = Batch.of(package, request)
    wanted = filmable(list(RolloutStore.of(batch).read(batch).values()), which)
    tasks = [FilmTask(batch.job, batch.start(row.number), row.rollout.attempts.ticks, folder / film_name(row)) for row in wanted]
    yield Preparing(f"Filming: 0 of {len(tasks)}", 0.0)
    for done, file in enumerate(side_by_side(film, tasks, jobs, stop_on=stop_on), 1):
        yield Preparing(f"Filming: {done} of {len(tasks)}", done / len(tasks))
        yield file


def _step(found: Mapping[int, TriedStart], of: int, were: str = "") -> RolloutStep:
    won = sum(row.rollout.attempts.success for row in found.values())
    return RolloutStep(f"Rollouts: {len(found)} of {of}{were} (successes: {won})", len(found) / of, won, len(found), of)


def _measured(package: PolicyPackage, variant: Variant) -> LatencySource:
    """Made-up pictures: what they show does not change how long a graph runs."""
    policy = open_policy(package.folder, variant)
    policy.load()
    rng = np.random.default_rng(0)
    images = {camera: rng.integers(0, 256, (240, 320, 3), dtype=np.uint8) for camera in package.spec.cameras}
    seen = Observation(images, np.zeros(len(package.spec.joint_names), np.float32), "Grab the tea bag and place it in the mug.", 0.0)
    chunks = [policy.predict_chunk(seen, noise=chunk_noise(package.spec, 0, 0, i)) for i in range(_TIMED + 1)]
    return measured_latency([sum(chunk.stage_ms.values()) / 1e3 for chunk in chunks[1:]], machine())
