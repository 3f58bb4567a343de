"""The mixed-precision recipes on this machine, as choices for a dial."""

import logging
from collections import defaultdict
from collections.abc import Mapping

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.formats import count
from vla_demo.core.storage import cache_folder
from vla_demo.quantization.recipes import Recipe, find_recipe

__all__ = ["known_recipes"]

logger = logging.getLogger(__name__)


def known_recipes(family: str) -> Mapping[str, Mapping[str, str]]:
    """Stage -> precision -> a sentence, for the policies of a family. A file that is no recipe is logged and left out."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for file in sorted((cache_folder() / "recipes").glob("*.json")):
        try:
            recipe = find_recipe(file.stem)
        except VlaDemoError as error:
            logger.warning("not offered: %s", error)
            continue
        if recipe.family == family:
            found[recipe.stage][recipe.precision] = _about(recipe)
    return found


def _about(recipe: Recipe) -> str:
    return f"A recipe, layer by layer: {', '.join(recipe.precisions)} by {count(len(recipe.rules), 'rule')}."
