"""Floor 2: LeRobot datasets v3: read (light, without torch), split, record (with LeRobot's own writer)."""

from vla_demo.episodes.dataset import Dataset, open_dataset

__all__ = ["Dataset", "open_dataset"]
