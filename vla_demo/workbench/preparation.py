"""What every wing does before a policy runs: the variant's graphs are made, and the scale of the action's errors is found."""

from collections.abc import Iterator

from vla_demo.core.labels import stage_label
from vla_demo.core.observation import Episode
from vla_demo.core.package import PolicyPackage
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.quantization import quantize_stage, scheme_for
from vla_demo.workbench.calibrations import calibration_for
from vla_demo.workbench.progress import Preparing

__all__ = ["action_scale", "prepare_variant"]


def prepare_variant(package: PolicyPackage, variant: Variant, dataset: Dataset | None = None) -> Iterator[Preparing]:
    """Make the graphs of `variant` that are not in the cache yet; scales are calibrated on training episodes, if possible of `dataset`.

    Raises `QuantizationError` for a stage that cannot have its precision, `InvalidInput` where there is nothing to calibrate on.
    """
    chosen = [s for s in variant.stages if s.precision != REFERENCE_PRECISION]
    for done, stage in enumerate(chosen):
        label = stage_label(stage.role)
        yield Preparing(f"{label} in {stage.precision}", done / len(chosen))
        calibration = calibration_for(package, dataset) if scheme_for(stage.precision).needs_calibration else None
        quantize_stage(package, stage.role, stage.precision, calibration=calibration)


def action_scale(package: PolicyPackage, dataset: Dataset, episode: Episode) -> ActionScale:
    """The policy's own normalization where it has one, so that a figure means the same on every dataset; else the dataset's."""
    for source, stats in (("checkpoint", package.preprocessing.action.stats), ("dataset", dataset.action_statistics() or {})):
        if "mean" in stats and "std" in stats:
            return ActionScale.of(stats["mean"], stats["std"], source)
    return ActionScale.of(episode.actions.mean(axis=0), episode.actions.std(axis=0), "episode")
