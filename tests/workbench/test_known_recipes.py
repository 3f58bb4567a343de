"""Recipes kept on this machine are choices for a dial; what is no recipe is left out and told."""

from pathlib import Path

import pytest

from vla_demo.quantization.recipes import Recipe, Rule, keep_recipe
from vla_demo.workbench.known_recipes import known_recipes


def test_a_kept_recipe_is_offered_for_its_stage_and_family() -> None:
    recipe = Recipe("act", "expert", "int8", (Rule("leave", "fp32"),))
    keep_recipe(recipe)
    assert known_recipes("act") == {"expert": {recipe.precision: "A recipe, layer by layer: fp32, int8 by 1 rule."}}
    assert known_recipes("smolvla") == {}


def test_a_damaged_recipe_is_told_and_left_out(own_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    (own_cache / "recipes").mkdir(parents=True)
    (own_cache / "recipes" / "0123456789ab.json").write_text("{}")
    assert known_recipes("act") == {}
    assert "0123456789ab" in caplog.text
