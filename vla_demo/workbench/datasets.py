"""Which recordings a policy is replayed over: the bundled ones, or a dataset somebody names, if its cameras and joints fit."""

import re
from collections.abc import Sequence
from pathlib import Path

from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.core.policy import PolicySpec
from vla_demo.episodes import Dataset, open_dataset

__all__ = ["check_fit", "dataset_for"]

# A checkpoint or dataset that does not say calls its joints joint_1, joint_2, ...
NAMELESS = re.compile(r"joint_\d+")


def dataset_for(source: str | Path | None) -> Dataset:
    """The dataset `source` (folder or Hub id), or the demo's episodes. Raises `UnknownEpisode`, or `MissingPiece` without the demo."""
    return open_dataset(require_demo().episodes if source is None else source)


def check_fit(dataset: Dataset, spec: PolicySpec) -> None:
    """Raise `InvalidInput` naming the difference when this policy cannot see or move what was recorded."""
    absent = [camera for camera in spec.cameras if camera not in dataset.cameras]
    if absent:
        raise InvalidInput(
            f"{spec.checkpoint} looks through {_list(spec.cameras)}, but {dataset.name} has no camera {_list(absent)}; "
            f"it has {_list(dataset.cameras)}. Choose a dataset recorded with those cameras."
        )
    if len(dataset.joint_names) != len(spec.joint_names):
        raise InvalidInput(
            f"{spec.checkpoint} moves {len(spec.joint_names)} joints, {dataset.name} recorded {len(dataset.joint_names)}: "
            f"{_list(dataset.joint_names)}"
        )
    ours, theirs = _plain(spec.joint_names), _plain(dataset.joint_names)
    if ours and theirs and ours != theirs:
        raise InvalidInput(
            f"{spec.checkpoint} moves {_list(spec.joint_names)} in this order, {dataset.name} has {_list(dataset.joint_names)}"
        )


def _plain(names: Sequence[str]) -> list[str] | None:
    """Names without LeRobot's ".pos"; None when nobody named them."""
    if all(NAMELESS.fullmatch(name) for name in names):
        return None
    return [name.removesuffix(".pos") for name in names]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
