"""The verb that lets a variant act: rollouts in the twin with the latency of a board, over the protocol's starts, in several processes.

A start that has been tried is kept and not tried again, so that a batch goes on where it was stopped.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import cache_folder, write_whole
from vla_demo.core.variant import Variant
from vla_demo.evaluation.attempts import Attempts
from vla_demo.evaluation.closed_loop import LoopReport, Rollout
from vla_demo.evaluation.latency import LatencySource, given_latency, measured_latency, predicted_latency, published_latency
from vla_demo.evaluation.replay import chunk_noise
from vla_demo.evaluation.rollout_report import RolloutReport, TriedStart
from vla_demo.runtime import open_policy
from vla_demo.workbench.machine import machine
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout_worker import RolloutJob, tried

__all__ = ["PATIENCE", "RolloutRequest", "latency_named", "roll_out"]

PATIENCE = 60.0  # simulated seconds until a rollout has failed
_TIMED = 5  # inferences


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """What to try."""

    variant: Variant
    latency: LatencySource
    mode: str = "async"  # see `runtime.control_loop.MODES`
    fps: float = 30.0
    starts: str = "all"  # see `twin.protocol.starts_named`
    threshold: float = 0.5
    aggregate: str = "weighted_average"
    actions_per_chunk: int | None = None  # None: in sync mode the checkpoint's n_action_steps, in async mode its whole chunk
    seed: int = 0
    patience: float = PATIENCE


def latency_named(text: str, package: PolicyPackage, variant: Variant) -> LatencySource:
    """`measured` (here, now), `imx95-published`, `imx95-predicted`, or milliseconds. Raises `InvalidInput`."""
    by_name = {"imx95-published": published_latency, "imx95-predicted": predicted_latency}
    if text in by_name:
        return by_name[text](package.spec, variant)
    return _measured(package, variant) if text == "measured" else given_latency(text)


def roll_out(package: PolicyPackage, request: RolloutRequest, jobs: int = 1) -> Iterator[Preparing | RolloutReport]:
    """Progress a start, then the report. Closing the iterator stops; what was tried is kept.

    Raises `InvalidInput` and `MissingPiece` (without MuJoCo).
    """
    try:
        from vla_demo.twin.protocol import starts_named
    except ImportError as error:
        raise MissingPiece("the twin needs MuJoCo: pip install 'vla-demo[twin]'") from error
    job = _job(package, request)
    starts = starts_named(request.starts)
    place = cache_folder() / "rollouts" / _name(package, job)
    found = {start.number: kept for start in starts if (kept := _kept(place / f"{start.number}.json")) is not None}
    yield Preparing(f"Rollouts: {len(found)} of {len(starts)} were tried before", len(found) / len(starts))
    for row in _tried(job, [start for start in starts if start.number not in found], jobs):
        write_whole(place / f"{row.number}.json", json.dumps(asdict(row)).encode())
        found[row.number] = row
        won = sum(r.rollout.attempts.success for r in found.values())
        yield Preparing(f"Rollouts: {len(found)} of {len(starts)} (successes: {won})", len(found) / len(starts))
    yield RolloutReport(request.variant, request.mode, request.latency, request.fps, tuple(found[start.number] for start in starts))


def _job(package: PolicyPackage, request: RolloutRequest) -> RolloutJob:
    spec = package.spec
    own = spec.n_action_steps if request.mode == "sync" else spec.chunk_size
    actions = request.actions_per_chunk or own
    if not 1 <= actions <= spec.chunk_size:
        raise InvalidInput(f"actions_per_chunk {actions} is out of range; {spec.checkpoint} plans {spec.chunk_size}, so 1 to that")
    if request.mode == "seamfree" and spec.noise_shape is None:
        raise InvalidInput(f"{spec.family} does not denoise, so it has no seam-free mode; sync and async are valid")
    if not request.patience > 0:
        raise InvalidInput(f"patience {request.patience:g} s is out of range; valid: more than 0")
    return RolloutJob(
        folder=str(package.folder),
        variant=str(request.variant),
        mode=request.mode,
        latency=request.latency.seconds,
        fps=request.fps,
        threshold=request.threshold,
        aggregate=request.aggregate,
        actions_per_chunk=actions,
        seed=request.seed,
        patience=request.patience,
    )


def _tried(job: RolloutJob, starts: Sequence[Any], jobs: int) -> Iterator[TriedStart]:
    if jobs == 1:
        yield from (tried(job, start) for start in starts)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: set[Future[TriedStart]] = {pool.submit(tried, job, start) for start in starts}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in waiting:
                future.cancel()


def _name(package: PolicyPackage, job: RolloutJob) -> str:
    """Everything that decides a rollout, hashed; the package by its graphs."""
    facts = asdict(job) | {"folder": sorted(graph.sha256 for graph in package.graphs), "physics": 1}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _kept(file: Path) -> TriedStart | None:
    """None for a start that was not tried, or whose file is damaged: it is tried again."""
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        told = Rollout(Attempts(**row["rollout"]["attempts"]), LoopReport(**row["rollout"]["loop"]))
        return TriedStart(row["number"], row["cluster"], told)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _measured(package: PolicyPackage, variant: Variant) -> LatencySource:
    """Made-up pictures: what they show does not change how long a graph runs."""
    policy = open_policy(package.folder, variant)
    policy.load()
    rng = np.random.default_rng(0)
    images = {camera: rng.integers(0, 256, (240, 320, 3), dtype=np.uint8) for camera in package.spec.cameras}
    seen = Observation(images, np.zeros(len(package.spec.joint_names), np.float32), "Grab the tea bag and place it in the mug.", 0.0)
    chunks = [policy.predict_chunk(seen, noise=chunk_noise(package.spec, 0, 0, i)) for i in range(_TIMED + 1)]
    return measured_latency([sum(chunk.stage_ms.values()) / 1e3 for chunk in chunks[1:]], machine())
