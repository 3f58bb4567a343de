"""Closed-loop success in the twin: plan a chunk, execute its first actions, plan again, until the judge says success or time is up.

Synchronous and without latency: the world stands still while the policy thinks. `--starts protocol` are the reported 20 test and 10
validation starts; `--starts fresh` are new ones in the training clusters, for choosing among checkpoints and settings.
"""

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("MUJOCO_GL", "egl")  # no display is needed
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from vla_demo.core.policy import Policy
from vla_demo.evaluation.statistics import wilson_interval
from vla_demo.twin.demonstrations import solve
from vla_demo.twin.scene import from_dataset_units
from vla_demo.twin.starts import HELD_OUT, Start, fresh_start, split_starts
from vla_demo.twin.world import TeaBagTwin

__all__ = ["LIMIT", "evaluate", "fresh_starts", "protocol_starts", "rollout"]

LIMIT = 600  # ticks, 20 s
_FIRST_FRESH_SEED = 500_000


def evaluate(checkpoint: Path, starts: list[Start], execute: int | None = None, jobs: int = 1) -> dict[str, Any]:
    """Roll out a checkpoint folder or an exported package from every start; of each chunk the first `execute` actions (None: all)."""
    one = partial(_one, checkpoint, execute)
    if jobs == 1:
        rows = [one(s) for s in enumerate(starts)]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(one, enumerate(starts)))
    return report(rows) | {"execute": execute, "limit_s": LIMIT / 30}


def report(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count, Wilson's 95 % interval and the same per cluster."""
    won = sum(row["success"] for row in rows)
    low, high = wilson_interval(won, len(rows))
    clusters = {c: [row["success"] for row in rows if row["cluster"] == c] for c in sorted({row["cluster"] for row in rows})}
    return {
        "successes": won,
        "n": len(rows),
        "wilson_95": [round(low, 3), round(high, 3)],
        "clusters": {c: f"{sum(s)}/{len(s)}" for c, s in clusters.items()},
        "median_seconds_to_success": round(float(np.median([r["seconds"] for r in rows if r["success"]])), 2) if won else None,
        "rows": rows,
    }


def rollout(policy: Policy, twin: TeaBagTwin, start: Start, execute: int | None, seed: int) -> tuple[bool, float]:
    """Success and simulated seconds."""
    rng = np.random.default_rng([17, seed])
    observation, ticks = twin.reset_to(start), 0
    policy.reset()
    while ticks < LIMIT:
        shape = policy.spec.noise_shape
        noise = None if shape is None else rng.standard_normal(shape).astype(np.float32)
        for action in policy.predict_chunk(observation, noise=noise).actions[:execute]:
            twin.advance(from_dataset_units(action))
            ticks += 1
            if twin.succeeded():
                return True, ticks / 30
            if ticks >= LIMIT:
                break
        observation = twin.observe()
    return False, ticks / 30


def protocol_starts() -> list[Start]:
    """The 20 test and 10 validation starts as they were recorded: of each episode's candidates the first that the demonstrator solves."""
    twin = TeaBagTwin()
    candidates = [c for split in ("test", "validation") for c in split_starts(split)]
    return [next(s for s in starts if solve(twin, s) is not None) for starts in candidates]


def fresh_starts(count: int) -> list[Start]:
    """New starts in the ten training clusters, in no recorded split."""
    drawn = (fresh_start(seed) for seed in range(_FIRST_FRESH_SEED, 2**31))
    return list(islice((s for s in drawn if s.cluster != HELD_OUT), count))


@cache
def _opened(checkpoint: Path) -> tuple[Policy, TeaBagTwin]:
    """Once a process: opening a policy takes longer than a rollout."""
    if (checkpoint / "manifest.json").is_file():
        from vla_demo.runtime import open_policy

        return open_policy(checkpoint, threads=1), TeaBagTwin()
    import torch

    from vla_demo.checkpoints.folder import resolve
    from vla_demo.checkpoints.reference import load_reference

    torch.set_num_threads(1)
    return load_reference(resolve(str(checkpoint))), TeaBagTwin()


def _one(checkpoint: Path, execute: int | None, numbered: tuple[int, Start]) -> dict[str, Any]:
    number, start = numbered
    policy, twin = _opened(checkpoint)
    success, seconds = rollout(policy, twin, start, execute, number)
    return {"cluster": start.cluster, "failure": start.failure, "success": success, "seconds": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="a LeRobot checkpoint folder or an exported package")
    parser.add_argument("--starts", choices=("protocol", "fresh"), default="fresh")
    parser.add_argument("--count", type=int, default=30, help="how many fresh starts")
    parser.add_argument("--execute", type=int, help="actions of each chunk to carry out; all by default")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the report here too")
    arguments = parser.parse_args()
    starts = protocol_starts() if arguments.starts == "protocol" else fresh_starts(arguments.count)
    began = time.monotonic()
    result = evaluate(arguments.checkpoint.absolute(), starts, arguments.execute, arguments.jobs)
    result |= {"starts": arguments.starts, "wall_s": round(time.monotonic() - began, 1)}
    text = json.dumps(result, indent=2)
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
