"""The names of the files a LeRobot checkpoint folder is made of, and how its JSON is read."""

import json
from pathlib import Path
from typing import Any

from vla_demo.core.errors import CheckpointError

__all__ = ["CONFIG_FILE", "JOINTS_FILE", "POSTPROCESSOR_FILE", "PREPROCESSOR_FILE", "WEIGHTS_FILE", "read_json"]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PREPROCESSOR_FILE = "policy_preprocessor.json"
POSTPROCESSOR_FILE = "policy_postprocessor.json"
JOINTS_FILE = "joints.json"  # ours, optional: {"names": [...]}; LeRobot's config does not keep the joints' names
_MAX_BYTES = 1 << 20  # such a file has a few KB


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of reasonable size. Raises `CheckpointError`."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CheckpointError(f"{path} is larger than any file of its kind")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise CheckpointError(f"{path} cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise CheckpointError(f"{path} is not JSON: {problem}") from problem
    if not isinstance(document, dict):
        raise CheckpointError(f"{path} is not a JSON object")
    return document
