"""Which recordings scales are calibrated on: training episodes, of the dataset in hand where it has some, else those that ship."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from vla_demo.core.demo import find_demo, require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.episodes import Dataset, open_dataset
from vla_demo.quantization.calibration import TRAINING, Calibration
from vla_demo.workbench.datasets import check_fit

__all__ = ["calibration_for", "calibration_on"]

EPISODES, MOMENTS = 4, 6  # so many episodes, so many observations of each, spread evenly


def calibration_for(package: PolicyPackage, dataset: Dataset | None = None) -> Calibration:
    """Training episodes of `dataset`; for the bundled episodes, of which none was trained on, or without a dataset those that ship.

    Raises `InvalidInput` when the dataset has no training split, or when its cameras or joints are not the policy's, `MissingPiece` without
    a dataset and without the demo.
    """
    demo = find_demo()
    if dataset is None or (demo is not None and dataset.folder == demo.episodes):
        dataset = open_dataset(require_demo().calibration)
    check_fit(dataset, package.spec)
    training = [e.index for e in dataset.episodes if e.split == TRAINING]
    if not training:
        raise InvalidInput(
            f"{dataset.name} has no training episodes, which scales must be calibrated on; choose a precision that finds its scales "
            f"as it runs (int8), or a dataset whose meta/info.json has a split named {TRAINING}"
        )
    return calibration_on(dataset, _spread(training, EPISODES))


def calibration_on(dataset: Dataset, episodes: Sequence[int]) -> Calibration:
    """Observations of these episodes. Raises `InvalidInput` when one of them is not of the training split, `UnknownEpisode`."""
    demo = find_demo()
    splits = {dataset.summary(index).split or "of no split" for index in episodes}
    return Calibration(
        source="bundled calibration episodes" if demo is not None and dataset.folder == demo.calibration else dataset.name,
        split=TRAINING if splits == {TRAINING} else ", ".join(sorted(splits - {TRAINING})),
        episodes=tuple(episodes),
        observations=_observations(dataset.folder, tuple(episodes)),
    )


@lru_cache(maxsize=2)
def _observations(folder: Path, episodes: tuple[int, ...]) -> tuple[Observation, ...]:
    """Decoded once: the receipt of every graph asks what they are."""
    dataset = open_dataset(folder)
    recorded = [dataset.episode(index) for index in episodes]
    return tuple(episode.frame(place).observation for episode in recorded for place in _spread(range(len(episode)), MOMENTS))


def _spread(choices: Sequence[int], count: int) -> list[int]:
    """`count` of them, or all, from the middle of equal parts."""
    if len(choices) <= count:
        return list(choices)
    return [choices[int((part + 0.5) * len(choices) / count)] for part in range(count)]
