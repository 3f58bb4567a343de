"""Floor 2: finds and vets a LeRobot checkpoint, and runs it in PyTorch as the reference."""

from vla_demo.checkpoints.folder import CheckpointFolder, resolve
from vla_demo.checkpoints.reference import ReferencePolicy, load_reference

__all__ = ["CheckpointFolder", "ReferencePolicy", "load_reference", "resolve"]
