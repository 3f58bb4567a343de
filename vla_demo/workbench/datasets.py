"""Which recordings a policy is replayed over: the bundled ones, or a dataset somebody names, if its cameras and joints fit."""

import re
from collections.abc import Sequence
from pathlib import Path

import vla_demo
from vla_demo.core.errors import InvalidInput, UnknownEpisode
from vla_demo.core.policy import PolicySpec
from vla_demo.episodes import Dataset, open_dataset

__all__ = ["BUNDLED_EPISODES", "check_fit", "dataset_for"]

BUNDLED_EPISODES = Path(vla_demo.__file__).parents[1] / "assets" / "demo" / "episodes"
# A checkpoint or dataset that does not say calls its joints joint_1, joint_2, ...
NAMELESS = re.compile(r"joint_\d+")


def dataset_for(source: str | Path | None) -> Dataset:
    """The dataset `source` (folder or Hub id), or the bundled episodes. Raises `UnknownEpisode` when it is not there."""
    if source is not None:
        return open_dataset(source)
    if not BUNDLED_EPISODES.is_dir():
        raise UnknownEpisode(f"the bundled episodes are not in this installation ({BUNDLED_EPISODES}); a clone of the project has them")
    return open_dataset(BUNDLED_EPISODES)


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
