"""The policy as LeRobot runs it in PyTorch, FP32 on the CPU: what every exported graph is compared with."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.checkpoints.folder import CheckpointFolder
from vla_demo.checkpoints.spec import camera_keys, outside_key, policy_spec
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.core.policy import PolicySpec

if TYPE_CHECKING:
    from vla_demo.checkpoints.loading import LoadedCheckpoint

__all__ = ["ReferencePolicy", "load_reference"]


def load_reference(checkpoint: CheckpointFolder) -> "ReferencePolicy":
    """LeRobot's policy and processors behind the project's `Policy` contract. Raises `CheckpointError`, `MissingPiece`."""
    from vla_demo.checkpoints.loading import load_checkpoint

    return ReferencePolicy(checkpoint, load_checkpoint(checkpoint.path))


class ReferencePolicy:
    """A `core.Policy`. Stage times are not measured: LeRobot runs the policy as one piece."""

    def __init__(self, checkpoint: CheckpointFolder, loaded: "LoadedCheckpoint") -> None:
        self._loaded = loaded
        self.camera_keys = camera_keys(checkpoint, loaded.config)  # camera -> its key in LeRobot's batch, in the policy's order
        self.state_key = outside_key(checkpoint, "observation.state")
        self._spec = policy_spec(checkpoint, loaded.config)

    @property
    def spec(self) -> PolicySpec:
        return self._spec

    @property
    def folder(self) -> Path:
        return self._loaded.folder

    @property
    def loaded(self) -> "LoadedCheckpoint":
        """LeRobot's own objects, for the exporter."""
        return self._loaded

    def reset(self) -> None:
        self._loaded.policy.reset()

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        """Physical observation in, physical actions (T, J) out. Raises `InvalidInput` for a missing camera or noise that does not fit."""
        import torch

        arguments = {} if self._spec.noise_shape is None else {"noise": self._noise(noise)}
        with torch.inference_mode():
            actions = self._loaded.policy.predict_action_chunk(self.prepared(observation), **arguments)
            physical = self._loaded.postprocessor(actions)
        return ActionChunk(physical[0].numpy().astype(np.float32), observation.captured_at)

    def prepared(self, observation: Observation) -> dict[str, Any]:
        """The batch of tensors that LeRobot's preprocessor hands to the policy."""
        batch: dict[str, Any] = self._loaded.preprocessor(self._batch(observation))
        return batch

    def _batch(self, observation: Observation) -> dict[str, Any]:
        """What LeRobot's preprocessor takes: pictures (3, H, W) in [0, 1], joints (J,), the task as text."""
        import torch

        missing = [camera for camera in self.camera_keys if camera not in observation.images]
        if missing:
            raise InvalidInput(f"no picture of {', '.join(missing)}; this policy sees through {', '.join(self.camera_keys)}")
        pictures = {
            key: torch.from_numpy(np.ascontiguousarray(observation.images[camera].transpose(2, 0, 1))).float() / 255
            for camera, key in self.camera_keys.items()
        }
        joints = torch.from_numpy(np.asarray(observation.joints, np.float32))
        return pictures | {self.state_key: joints, "task": observation.instruction}

    def _noise(self, noise: NDArray[np.float32] | None) -> Any:
        import torch

        if noise is None or noise.shape != self._spec.noise_shape:
            found = "none" if noise is None else f"shape {noise.shape}"
            raise InvalidInput(f"{self._spec.family} starts from noise of shape {self._spec.noise_shape}, given was {found}")
        return torch.from_numpy(np.asarray(noise, np.float32))[None]
