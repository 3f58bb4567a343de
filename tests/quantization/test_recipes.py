"""Recipes: read, edited, shared, named by what they decide, and refused where they would silently decide nothing."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from vla_demo.core.errors import InvalidInput, UnknownVariant
from vla_demo.core.precision import Precision
from vla_demo.quantization.recipes import Recipe, Rule, find_recipe, keep_recipe, read_recipe, recipe_from_json, write_recipe

LAYERS = ["enter", "layers.0.mlp.up_proj", "layers.0.mlp.down_proj", "layers.1.mlp.up_proj", "layers.1.mlp.down_proj", "leave"]


@pytest.fixture
def recipe() -> Recipe:
    rules = (Rule("layers.0.mlp.down_proj", "fp32"), Rule("layers.*.mlp.*", "int4"))
    return Recipe("smolvla", "expert", "int8", rules, {"budget": {"max_error": 0.01}, "error": 0.008})


def test_the_first_rule_that_matches_decides(recipe: Recipe) -> None:
    assert [recipe.precision_of(layer) for layer in LAYERS] == ["int8", "int4", "fp32", "int4", "int4", "int8"]
    assert recipe.precisions == ("fp32", "int4", "int8")


def test_it_is_written_for_people_and_read_again(recipe: Recipe, tmp_path: Path) -> None:
    write_recipe(recipe, tmp_path / "recipe.json")
    assert read_recipe(tmp_path / "recipe.json") == recipe
    text = (tmp_path / "recipe.json").read_text()
    assert '  {"layers": "layers.*.mlp.*", "precision": "int4"}\n' in text
    assert json.loads(text) == recipe.as_json()


def test_the_name_is_of_what_it_decides_and_nothing_else(recipe: Recipe) -> None:
    assert Precision.parse(recipe.precision).options == (recipe.name,)
    assert dataclasses.replace(recipe, found={}).name == recipe.name
    others = [{"family": "act"}, {"stage": "llm"}, {"default": "fp32"}, {"rules": recipe.rules[::-1]}, {"rules": ()}]
    assert len({dataclasses.replace(recipe, **change).name for change in others} | {recipe.name}) == len(others) + 1  # type: ignore[arg-type]


def test_a_recipe_without_rules_is_one(tmp_path: Path) -> None:
    write_recipe(Recipe("act", "expert", "int8", ()), tmp_path / "recipe.json")
    assert read_recipe(tmp_path / "recipe.json").precisions == ("int8",)


def test_a_kept_recipe_is_found_by_its_name(recipe: Recipe, tmp_path: Path) -> None:
    assert keep_recipe(recipe, tmp_path) == tmp_path / "recipes" / f"{recipe.name}.json"
    assert find_recipe(recipe.name, tmp_path) == recipe


def test_one_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no recipe 0123456789ab.*--recipe FILE.*vla-demo mix"):
        find_recipe("0123456789ab", tmp_path)


def test_a_kept_recipe_that_was_edited_is_not_believed(recipe: Recipe, tmp_path: Path) -> None:
    path = keep_recipe(recipe, tmp_path)
    path.write_text(path.read_text().replace("int4", "int2"))
    with pytest.raises(InvalidInput, match="was edited"):
        find_recipe(recipe.name, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, '"version": 1'),
        ({"family": None}, "'family' is a text"),
        ({"defualt": "int8"}, "defualt"),
        ({"rules": [{"layers": "a"}]}, "a rule is"),
        ({"rules": [{"layers": "a", "precision": "int3"}]}, "unknown precision 'int3'"),
        ({"default": "mixed-0123456789ab"}, "cannot contain another recipe"),
        ({"rules": "all"}, '"rules" is a list'),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_reason(recipe: Recipe, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.as_json() | change))
    with pytest.raises((InvalidInput, UnknownVariant), match=said):
        read_recipe(tmp_path / "recipe.json")


@pytest.mark.parametrize("content", [None, "{", "[]", "\xff"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "recipe.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"recipe\.json"):
        read_recipe(tmp_path / "recipe.json")


def test_a_precision_is_written_one_way(recipe: Recipe) -> None:
    document = recipe.as_json() | {"default": "int4-a8-b32"}
    assert recipe_from_json(document).default == "int4-a8"


def test_it_fits_its_family_its_stage_and_its_layers(recipe: Recipe) -> None:
    recipe.check_fits("smolvla", "expert", LAYERS)
    with pytest.raises(InvalidInput, match="for smolvla's stage expert, not for act's stage expert"):
        recipe.check_fits("act", "expert", LAYERS)
    with pytest.raises(InvalidInput, match="not for smolvla's stage llm"):
        recipe.check_fits("smolvla", "llm", LAYERS)


def test_a_rule_that_decides_nothing_is_an_error(recipe: Recipe) -> None:
    misspelled = dataclasses.replace(recipe, rules=(*recipe.rules, Rule("layers.*.mpl.up_proj", "int4")))
    with pytest.raises(InvalidInput, match=r"'layers\.\*\.mpl\.up_proj'.*decides about no layer.*enter, leave"):
        misspelled.check_fits("smolvla", "expert", LAYERS)
    hidden = dataclasses.replace(recipe, rules=recipe.rules[::-1])
    with pytest.raises(InvalidInput, match=r"layers\.0\.mlp\.down_proj"):
        hidden.check_fits("smolvla", "expert", LAYERS)
