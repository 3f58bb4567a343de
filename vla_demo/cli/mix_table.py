"""A recipe of mixed precision as JSON, and as text for a terminal."""

from typing import Any

from vla_demo.cli.tables import aligned
from vla_demo.core.formats import in_megabytes
from vla_demo.quantization.recipes import Recipe
from vla_demo.quantization.search import FoundRecipe

__all__ = ["mix_json", "mix_table"]

LISTED = 10  # layers


def mix_json(found: FoundRecipe, policy: str) -> dict[str, Any]:
    """The recipe, what it costs and saves, and each layer as it was measured alone."""
    layers = [
        {"graph": s.graph, "layer": s.layer, "precision": s.precision, "own_error": s.own_error, "action_error": s.action_error}
        | {"weight_bytes": s.weight_bytes, "saved_bytes": s.saved_bytes, "chosen": found.recipe.precision_of(s.layer) == s.precision}
        for s in found.layers
    ]
    costs = {"error": found.error, "bytes": found.size, "fp32_bytes": found.fp32_size}
    return {"policy": policy, "variant": _variant(found.recipe), **costs, "recipe": found.recipe.as_json(), "layers": layers}


def mix_table(found: FoundRecipe, policy: str) -> str:
    recipe, how = found.recipe, found.recipe.found
    lines = [
        f"{policy}  {_variant(recipe)}",
        f"{in_megabytes(found.size)} of {in_megabytes(found.fp32_size)} MB, error {found.error:.4f} standard deviations of the action "
        f"(mean RMS of a chunk against FP32, {how['observations']} observations of training episodes)",
        "",
        *aligned([["layers", "precision"], *([r.layers, r.precision] for r in recipe.rules), ["all others", recipe.default]], left=2),
        "",
        "the layers that cost most alone",
    ]
    worst = sorted(found.layers, key=lambda s: -s.action_error)[:LISTED]
    rows = [["layer", "precision", "action error", "own error", "MB saved"]]
    rows += [[s.layer, s.precision, f"{s.action_error:.4f}", f"{s.own_error:.4f}", in_megabytes(s.saved_bytes)] for s in worst]
    return "\n".join([*lines, *aligned(rows, left=2)])


def _variant(recipe: Recipe) -> str:
    return f"{recipe.stage}={recipe.precision}"
