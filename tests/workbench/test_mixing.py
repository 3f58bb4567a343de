"""Mixed precision as a user meets it: a recipe found on training episodes, kept, written, and given to a variant as a file."""

import json
from pathlib import Path

import pytest

from tests.fakes import tiny_smolvla_package
from vla_demo.cli.mix_table import mix_json, mix_table
from vla_demo.core.errors import InvalidInput, UnknownVariant
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.episodes import open_dataset
from vla_demo.quantization.recipes import Recipe, Rule, find_recipe, write_recipe
from vla_demo.workbench.mixing import Budget, FoundRecipe, find_mix, with_recipe
from vla_demo.workbench.progress import Preparing

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("packages") / "smolvla")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    write_recipe(Recipe("smolvla", "expert", "int8", (Rule("node_velocity", "fp32"),)), tmp_path / "recipe.json")
    return tmp_path / "recipe.json"


def test_a_recipe_is_found_kept_and_told(package: PolicyPackage) -> None:
    *steps, found = find_mix(package, "expert", Budget(max_error=1e6))
    assert isinstance(found, FoundRecipe) and all(isinstance(step, Preparing) for step in steps)
    assert find_recipe(found.recipe.name) == found.recipe
    document = json.loads(json.dumps(mix_json(found, "tiny")))
    assert document["variant"] == f"expert={found.recipe.precision}" and document["bytes"] < document["fp32_bytes"]
    assert {layer["precision"] for layer in document["layers"]} == {"int8", "int4"}
    assert any(layer["chosen"] for layer in document["layers"])
    table = mix_table(found, "tiny")
    assert document["variant"] in table and "6 observations of training episodes" in table


def test_recordings_without_training_episodes_are_refused(package: PolicyPackage, episodes_folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no training episodes"):
        list(find_mix(package, "expert", Budget(max_error=1.0), open_dataset(str(episodes_folder))))


def test_a_stage_that_is_not_there_is_refused(package: PolicyPackage) -> None:
    with pytest.raises(UnknownVariant, match="no stage legs"):
        list(find_mix(package, "legs", Budget(max_error=1.0)))


def test_mixed_in_a_variant_stands_for_the_file(package: PolicyPackage, recipe: Path) -> None:
    text = with_recipe("vision=int8, expert=mixed,steps=2", recipe)
    variant = Variant.parse(text, package.spec)
    assert find_recipe(variant.precision("expert").removeprefix("mixed-")).rules[0].layers == "node_velocity"
    assert (variant.precision("vision"), variant.denoise_steps) == ("int8", 2)


def test_without_a_file_nothing_changes() -> None:
    assert with_recipe("vision=int8,expert=mixed-0123456789ab", None) == "vision=int8,expert=mixed-0123456789ab"


@pytest.mark.parametrize("variant", ["", "expert=int8", "llm=mixed"])
def test_a_file_nobody_asked_for_is_an_error(variant: str, recipe: Path) -> None:
    with pytest.raises(InvalidInput, match="ask for it with --variant expert=mixed"):
        with_recipe(variant, recipe)


def test_mixed_without_a_file_is_an_error() -> None:
    with pytest.raises(InvalidInput, match=r"expert=mixed needs a recipe: give its file with --recipe"):
        with_recipe("expert=mixed", None)
