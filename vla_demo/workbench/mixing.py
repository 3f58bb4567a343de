"""The verb of mixed precision: find a recipe for one stage under a budget; and give a recipe's file to a variant.

Recipes are found on training episodes, so that the recordings a policy is judged on have no part in them.
"""

from collections.abc import Iterator
from pathlib import Path

from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.episodes import Dataset, open_dataset
from vla_demo.quantization.recipes import keep_recipe, read_recipe
from vla_demo.quantization.search import Budget, FoundRecipe, search_recipe
from vla_demo.quantization.sensitivity import Working
from vla_demo.quantization.trials import Judgement
from vla_demo.workbench.calibrations import calibration_for
from vla_demo.workbench.preparation import action_scale
from vla_demo.workbench.progress import Preparing

__all__ = ["Budget", "FoundRecipe", "find_mix", "with_recipe"]

OBSERVATIONS = 6  # every layer costs as many chunks in each precision, and every union of layers too
_ANY = "mixed"


def find_mix(package: PolicyPackage, stage: str, budget: Budget, dataset: Dataset | None = None) -> Iterator[Preparing | FoundRecipe]:
    """Progress, then the recipe, which is kept in the cache as well, so that a variant can name it.

    Raises `UnknownVariant` for an unknown stage, `InvalidInput` without training episodes, `QuantizationError` when nothing fits.
    """
    calibration = calibration_for(package, dataset)
    recorded = dataset if dataset is not None and calibration.source == dataset.name else open_dataset(require_demo().calibration)
    scale = action_scale(package, recorded, recorded.episode(calibration.episodes[0]))
    apart = max(1, len(calibration.observations) // OBSERVATIONS)
    judgement = Judgement(calibration.observations[apart // 2 :: apart][:OBSERVATIONS], scale.std, calibration.seed)
    for step in search_recipe(package, stage, budget, judgement):
        if isinstance(step, Working):
            yield Preparing(step.text, step.fraction)
        else:
            keep_recipe(step.recipe)
            yield step


def with_recipe(variant: str, file: Path | None) -> str:
    """`expert=mixed` becomes `expert=mixed-<name>` for the recipe in `file`, which is kept in the cache.

    Raises `InvalidInput` for a file that is no recipe, and when the variant does not ask for one at the recipe's stage.
    """
    parts = [part.strip() for part in variant.split(",")]
    if file is None:
        asked = [part for part in parts if part.partition("=")[2].strip() == _ANY]
        if asked:
            raise InvalidInput(f"{asked[0]} needs a recipe: give its file with --recipe, or write {asked[0]}-<its 12 digits>")
        return variant
    recipe = read_recipe(file)
    wanted = f"{recipe.stage}={_ANY}"
    if wanted not in parts:
        raise InvalidInput(f"{file} is a recipe for the stage {recipe.stage}; ask for it with --variant {wanted}")
    keep_recipe(recipe)
    return ",".join(f"{recipe.stage}={recipe.precision}" if part == wanted else part for part in parts)
