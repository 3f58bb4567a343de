"""Policies as data: the stages a package runs in, and the contract every policy body keeps."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.observation import ActionChunk, Observation

__all__ = ["GraphSpec", "Policy", "PolicySpec", "StageSpec"]


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """One ONNX graph of a stage."""

    name: str  # "vision", "prefix", "context", "step", "transformer"
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    runs_per_denoise_step: bool  # False: once a chunk


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A block of the policy whose precision is chosen as one: it may run as several graphs (context once, step N times)."""

    role: str  # "vision" | "llm" | "expert"
    graphs: tuple[GraphSpec, ...]


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """What a policy is, whatever body runs it."""

    family: str  # "act" | "smolvla"
    checkpoint: str  # "act", a folder's name or a Hub id
    revision: str | None  # commit of a Hub checkpoint, else the content hash of the folder's weights
    cameras: tuple[str, ...]  # in the order the policy stacks them
    joint_names: tuple[str, ...]
    chunk_size: int  # actions planned at once
    n_action_steps: int  # of those, how many are carried out before the next plan; LeRobot's name
    denoise_steps: int | None  # the checkpoint's own; None where there is no denoising
    noise_shape: tuple[int, int] | None  # (chunk, padded action width); None where there is no denoising
    stages: tuple[StageSpec, ...]  # in running order


class Policy(Protocol):
    """One contract, several bodies: the PyTorch reference, an exported package, later a remote board."""

    @property
    def spec(self) -> PolicySpec: ...

    def reset(self) -> None: ...

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        """The next chunk. `noise` is (T, A) of `spec.noise_shape`, required where that is not None; the same noise gives the same chunk."""
        ...
