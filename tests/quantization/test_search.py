"""The search for a mixed recipe: within its budget as measured, ordered by harm for each byte, written in few rules."""

import numpy as np
import pytest

from tests.fakes import observation
from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.core.package import PolicyPackage
from vla_demo.quantization import search
from vla_demo.quantization.layers import stage_layers
from vla_demo.quantization.search import Budget, FoundRecipe, ranked_moves, rules_for, search_recipe
from vla_demo.quantization.sensitivity import LayerSensitivity, Working
from vla_demo.quantization.trials import Judgement

JUDGEMENT = Judgement((observation(1), observation(2)), np.full(6, 10.0))
PRECISIONS = ("int8", "int4-b16")


def searched(package: PolicyPackage, budget: Budget, role: str = "llm") -> FoundRecipe:
    *steps, found = search_recipe(package, role, budget, JUDGEMENT, precisions=PRECISIONS)
    assert isinstance(found, FoundRecipe) and all(isinstance(step, Working) for step in steps)
    return found


@pytest.fixture(scope="module")
def loosest(smolvla: PolicyPackage) -> FoundRecipe:
    """All that can be saved."""
    return searched(smolvla, Budget(max_error=1e6))


def test_an_error_budget_is_kept_and_used(smolvla: PolicyPackage, loosest: FoundRecipe) -> None:
    found = searched(smolvla, Budget(max_error=0.7 * loosest.error))
    assert found.error <= 0.7 * loosest.error < loosest.error
    assert loosest.size < found.size < found.fp32_size


def test_a_byte_budget_is_kept_at_the_smallest_error(smolvla: PolicyPackage, loosest: FoundRecipe) -> None:
    budget = (loosest.size + loosest.fp32_size) // 2
    found = searched(smolvla, Budget(max_bytes=budget))
    assert found.size <= budget
    assert found.error <= loosest.error


def test_the_recipe_is_for_this_stage_and_says_how_it_was_found(smolvla: PolicyPackage, loosest: FoundRecipe) -> None:
    recipe = loosest.recipe
    recipe.check_fits("smolvla", "llm", [layer for layers in stage_layers(smolvla, "llm").values() for layer in layers])
    assert recipe.found["budget"] == {"max_error": 1e6} and recipe.found["observations"] == 2
    assert recipe.found["error"] == pytest.approx(loosest.error, abs=1e-6) and recipe.found["bytes"] == loosest.size
    assert {s.precision for s in loosest.layers} == set(PRECISIONS)


def test_a_budget_nothing_fits_says_what_would(smolvla: PolicyPackage, loosest: FoundRecipe) -> None:
    with pytest.raises(QuantizationError, match=r"even one layer \(.*\) costs .* allow that much"):
        searched(smolvla, Budget(max_error=1e-9))
    with pytest.raises(QuantizationError, match=f"{loosest.size} bytes; allow that many"):
        searched(smolvla, Budget(max_bytes=loosest.size - 1))


@pytest.mark.parametrize(
    "wrong", [{}, {"max_error": 1.0, "max_bytes": 5}, {"max_error": 0.0}, {"max_bytes": -1}, {"max_error": float("nan")}]
)
def test_a_budget_is_one_of_two(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="either a largest error or a largest number of bytes"):
        Budget(**wrong)  # type: ignore[arg-type]


def layer(name: str, precision: str, saved: int, error: float) -> LayerSensitivity:
    return LayerSensitivity("expert", "step", name, precision, 4 * saved, saved, 0.1, (error,))


def test_cheap_bytes_come_first_and_each_layer_goes_down_step_by_step() -> None:
    layers = [layer("a", "int8", 75, 0.1), layer("a", "int4", 85, 1.0), layer("b", "int8", 75, 0.01), layer("b", "int4", 85, 0.02)]
    moves = ranked_moves(layers)
    assert [(m.layer, m.to) for m in moves] == [("b", "int8"), ("b", "int4"), ("a", "int8"), ("a", "int4")]
    assert [m.saved for m in moves] == [75, 10, 75, 10]


def test_a_precision_that_another_beats_is_skipped() -> None:
    """Where int4 hurts hardly more than int8 the layer goes there at once; where it saves nothing more it never does."""
    assert [m.to for m in ranked_moves([layer("a", "int8", 75, 0.10), layer("a", "int4", 85, 0.101)])] == ["int4"]
    assert [m.to for m in ranked_moves([layer("a", "int8", 75, 0.10), layer("a", "int4", 70, 0.5)])] == ["int8"]
    assert ranked_moves([layer("a", "int8", -5, 0.1)]) == []


def test_rules_are_few(smolvla: PolicyPackage) -> None:
    layers = ["enter", *(f"layers.{n}.mlp.{p}" for n in range(3) for p in ("up", "down")), "leave"]
    chosen = {name: "int4" if "up" in name else "int8" for name in layers} | {"layers.1.mlp.down": "fp32"}
    del chosen["leave"]
    recipe = rules_for("smolvla", "expert", chosen, layers)
    assert recipe.default == "int4" or recipe.default == "int8"
    assert len(recipe.rules) <= 4
    assert [recipe.precision_of(name) for name in layers] == [chosen.get(name, "fp32") for name in layers]


@pytest.mark.parametrize("seed", range(5))
def test_rules_decide_what_was_found(seed: int) -> None:
    generator = np.random.default_rng(seed)
    layers = [f"blocks.{n}.{kind}.{m}" for n in range(3) for kind in ("a", "b") for m in range(2)] + ["enter", "0", "1.x"]
    chosen = {name: str(generator.choice(["fp32", "int8", "int4"])) for name in layers}
    recipe = rules_for("act", "expert", {k: v for k, v in chosen.items() if v != "fp32"}, layers)
    assert {name: recipe.precision_of(name) for name in layers} == chosen
    recipe.check_fits("act", "expert", layers)


def test_the_last_measurement_counts_not_the_sum(smolvla: PolicyPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that are harmless alone and harmful together: the budget holds all the same."""
    asked: list[int] = []

    def together(self: search._Unions, count: int) -> tuple[float, int]:
        asked.append(count)
        return (0.0 if count < 3 else 5.0), 1000 - count

    monkeypatch.setattr(search._Unions, "measured", together)
    assert searched(smolvla, Budget(max_error=1.0)).error == 0.0
    assert max(asked) >= 3


def test_all_of_it_can_be_stopped(smolvla: PolicyPackage) -> None:
    steps = search_recipe(smolvla, "llm", Budget(max_error=1.0), JUDGEMENT)
    fractions = [step.fraction for step, _ in zip(steps, range(3), strict=False) if isinstance(step, Working)]
    assert fractions == sorted(fractions)
    steps.close()  # type: ignore[attr-defined]
