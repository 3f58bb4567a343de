"""The layers of the trap report: each alone in a precision, on one moment of some of the study's episodes."""

from collections.abc import Generator, Sequence

import numpy as np

from vla_demo.core.errors import QuantizationError
from vla_demo.core.labels import stage_label
from vla_demo.core.package import PolicyPackage
from vla_demo.episodes import Dataset
from vla_demo.evaluation.bootstrap import clustered_interval
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.sensitivity import LayerRow
from vla_demo.evaluation.study import Moment
from vla_demo.quantization import scheme_for
from vla_demo.quantization.sensitivity import LayerSensitivity, layer_sensitivity
from vla_demo.quantization.trials import Judgement
from vla_demo.workbench.calibrations import calibration_for
from vla_demo.workbench.progress import Preparing

__all__ = ["layer_rows"]

LAYER_MOMENTS = 8  # every layer costs as many chunks


def layer_rows(
    package: PolicyPackage, dataset: Dataset, moments: Sequence[Moment], scale: ActionScale, precisions: Sequence[str]
) -> Generator[Preparing, None, tuple[LayerRow, ...]]:
    """Progress, and the rows of all stages. A stage or layer that cannot have a precision has no row."""
    judges = _judges(moments)
    judgement = Judgement(tuple(m.observation for m in judges), scale.std)
    calibration = calibration_for(package, dataset) if any(scheme_for(p).needs_calibration for p in precisions) else None
    rows: list[LayerRow] = []
    for number, stage in enumerate(package.spec.stages):
        try:
            for step in layer_sensitivity(package, stage.role, precisions, judgement, calibration):
                if isinstance(step, LayerSensitivity):
                    rows.append(_row(step, [m.episode for m in judges]))
                else:
                    yield Preparing(
                        f"Layers of {stage_label(stage.role)} ({step.text})", (number + step.fraction) / len(package.spec.stages)
                    )
        except QuantizationError:
            continue  # the stage's own row of the heat map says why
    return tuple(rows)


def _judges(moments: Sequence[Moment]) -> list[Moment]:
    """One moment an episode, from the beginning of one to the end of another."""
    by_episode: dict[int, list[Moment]] = {}
    for moment in moments:
        by_episode.setdefault(moment.episode, []).append(moment)
    chosen = np.linspace(0, len(by_episode) - 1, min(LAYER_MOMENTS, len(by_episode))).round().astype(int)
    episodes = list(by_episode.values())
    return [episodes[i][turn % len(episodes[i])] for turn, i in enumerate(chosen)]


def _row(found: LayerSensitivity, episodes: Sequence[int]) -> LayerRow:
    error = clustered_interval(found.action_errors, episodes)
    return LayerRow(found.stage, found.layer, found.precision, found.own_error, error, found.weight_bytes)
