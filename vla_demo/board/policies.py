"""A policy on a board: loaded, warmed up, and as a task for the driver."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.board.driver import Task
from vla_demo.board.handshake import check_policy
from vla_demo.board.limits import Limits, RobotDescription
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.runtime import ExportedPolicy
from vla_demo.runtime.control_loop import LoopSettings, Request
from vla_demo.runtime.sessions import give_back_memory

__all__ = ["LoadedPolicy", "task_of"]

MOST_WORDS = 300  # characters of an instruction


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that has planned once already, so that its first real chunk is as fast as the others."""

    package: str
    policy: ExportedPolicy

    @classmethod
    def warmed_up(cls, name: str, policy: ExportedPolicy, robot: RobotDescription, seen: Observation) -> "LoadedPolicy":
        """Raises `InvalidInput` for another robot's policy, `PackageError` for graphs that do not run."""
        check_policy(policy.spec, robot)
        policy.load()
        policy.predict_chunk(seen, noise=_noise(policy, 0, 0))
        return cls(name, policy)

    def infer(self, request: Request, seed: int) -> ActionChunk:
        chunk = self.policy.predict_chunk(request.observation, noise=_noise(self.policy, seed, request.number), after=request.after)
        give_back_memory()  # 1 to 2 ms
        return chunk


def task_of(loaded: LoadedPolicy, request: Any, limits: Limits, hz: float) -> Task:
    """A task as the link asks for it. Raises `InvalidInput`."""
    spec = loaded.policy.spec
    actions = request.actions_per_chunk or spec.n_action_steps
    deadline = request.deadline or limits.patience.plan
    if actions > spec.chunk_size or not 0 < deadline <= limits.patience.plan:
        raise InvalidInput(f"a chunk has {spec.chunk_size} actions, and {limits.patience.plan:g} s is the longest deadline")
    if len(request.instruction) > MOST_WORDS or not math.isfinite(request.threshold):
        raise InvalidInput(f"an instruction has at most {MOST_WORDS} characters")
    if request.mode == "seamfree" and spec.noise_shape is None:
        raise InvalidInput(f"{spec.family} does not denoise, so its chunks cannot be made seam-free; use async or sync")
    settings = LoopSettings(
        actions_per_chunk=actions,
        fps=hz,
        mode=request.mode or "async",
        chunk_size_threshold=request.threshold,
        deadline=deadline,
        failures_in_a_row=limits.patience.failures_in_a_row,
    )
    seed = request.seed
    about = {"policy": spec.checkpoint, "variant": str(loaded.policy.variant), "package": loaded.package}
    return Task(lambda asked: loaded.infer(asked, seed), settings, request.instruction, about)


def _noise(policy: ExportedPolicy, seed: int, number: int) -> NDArray[np.float32] | None:
    shape = policy.spec.noise_shape
    return None if shape is None else np.random.default_rng([seed, number]).standard_normal(shape, dtype=np.float32)
