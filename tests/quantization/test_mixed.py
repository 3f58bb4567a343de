"""Mixed precision: each layer in what its recipe says, seen in the graph; the recipe checked before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.quantization.transformer import cosine, inputs, layer_count, transformer
from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.quantization import prepare_variant, quantize_stage
from vla_demo.quantization.audit import audited, found_bits, graph_products
from vla_demo.quantization.calibration import everywhere
from vla_demo.quantization.catalogue import mixed_scheme, scheme_for
from vla_demo.quantization.layers import graph_layers, stage_layers
from vla_demo.quantization.recipes import Recipe, Rule, keep_recipe
from vla_demo.runtime import open_policy

Make = Callable[..., Recipe]


def bits(graph: Path) -> dict[str, int]:
    import onnx

    return found_bits(onnx.load(graph, load_external_data=False))


def test_each_layer_gets_what_the_recipe_says(tmp_path: Path) -> None:
    graph = transformer(tmp_path / "plain.onnx")
    rules = (Rule("layers.0.mlp.down_proj", "fp32"), Rule("layers.*.mlp.*", "int4"), Rule("e*", "fp16"))
    decisions = mixed_scheme(Recipe("smolvla", "expert", "int8", rules)).apply(graph, tmp_path / "mixed.onnx", everywhere, None)
    found = bits(tmp_path / "mixed.onnx")
    wanted = {"enter": 16, "leave": 8, "layers.0.mlp.down_proj": 32, "layers.1.mlp.down_proj": 4, "layers.0.self_attn.q_proj": 8}
    assert {layer: found[layer] for layer in wanted} == wanted
    assert audited(graph, tmp_path / "mixed.onnx", "mixed", decisions).quantized_nodes == layer_count() - 1
    assert [d.reason for d in decisions if d.precision == "fp32"] == ["the recipe keeps it in FP32"]


def test_a_graph_that_the_recipe_leaves_alone_is_copied(tmp_path: Path) -> None:
    graph = transformer(tmp_path / "plain.onnx")
    decisions = mixed_scheme(Recipe("smolvla", "expert", "fp32", ())).apply(graph, tmp_path / "mixed.onnx", everywhere, None)
    assert audited(graph, tmp_path / "mixed.onnx", "mixed", decisions).quantized_nodes == 0
    assert set(bits(tmp_path / "mixed.onnx").values()) == {32}


def test_its_settings_hold_those_of_its_schemes() -> None:
    mixed = mixed_scheme(Recipe("smolvla", "expert", "int8", (Rule("enter", "int4"), Rule("leave", "fp32"))))
    assert dict(mixed.settings())["schemes"] == {p: dict(scheme_for(p).settings()) for p in ("int4", "int8")}
    assert not mixed.needs_calibration
    assert mixed_scheme(Recipe("smolvla", "expert", "int8-smooth", ())).needs_calibration


def test_layers_are_named_without_preparing_the_graph(tmp_path: Path, smolvla: PolicyPackage) -> None:
    graph = transformer(tmp_path / "plain.onnx")
    assert graph_layers(graph) == [product.layer for product in graph_products(graph)]
    assert {name: len(layers) for name, layers in stage_layers(smolvla, "expert").items()} == {"context": 2, "step": 3}


@pytest.fixture
def kept(smolvla: PolicyPackage, cache: Path) -> Make:
    """Keeps a recipe for the tiny package's expert: one graph alone in int8, by the names of its layers."""
    layers = stage_layers(smolvla, "expert")

    def keep(graph: str = "step", family: str = "smolvla", **changes: str) -> Recipe:
        rules = tuple(Rule(changes.get(layer, layer), "int8") for layer in layers[graph])
        recipe = Recipe(family, "expert", "fp32", rules)
        keep_recipe(recipe, cache)
        return recipe

    return keep


def test_a_variant_runs_a_recipe_by_its_name(smolvla: PolicyPackage, cache: Path, kept: Make) -> None:
    variant = Variant.of(smolvla.spec, {"expert": kept().precision})
    graphs = {graph.name: graph for graph in prepare_variant(smolvla, variant, cache)}
    assert (graphs["context"].quantized_nodes, graphs["step"].quantized_nodes) == (0, 3)
    assert open_policy(smolvla.folder, variant, cache=cache).graphs == tuple(graphs.values())


def test_a_recipe_that_quantizes_nothing_is_an_error(smolvla: PolicyPackage, cache: Path) -> None:
    recipe = Recipe("smolvla", "expert", "fp32", ())
    keep_recipe(recipe, cache)
    with pytest.raises(QuantizationError, match="cannot run in mixed"):
        quantize_stage(smolvla, "expert", recipe.precision, cache)


def test_a_recipe_of_another_family_or_stage_is_refused(smolvla: PolicyPackage, cache: Path, kept: Make) -> None:
    with pytest.raises(InvalidInput, match="is for act's stage expert"):
        quantize_stage(smolvla, "expert", kept(family="act").precision, cache)
    with pytest.raises(InvalidInput, match="not for smolvla's stage llm"):
        quantize_stage(smolvla, "llm", kept().precision, cache)


def test_a_recipe_with_a_rule_for_no_layer_is_refused(smolvla: PolicyPackage, cache: Path, kept: Make) -> None:
    layer = stage_layers(smolvla, "expert")["step"][0]
    with pytest.raises(InvalidInput, match="decides about no layer"):
        quantize_stage(smolvla, "expert", kept(**{layer: "misspelled"}).precision, cache)


def test_a_recipe_that_is_not_there_is_refused(smolvla: PolicyPackage, cache: Path) -> None:
    with pytest.raises(InvalidInput, match="vla-demo mix"):
        quantize_stage(smolvla, "expert", "mixed-0123456789ab", cache)


def test_a_scheme_that_looks_at_data_may_be_part_of_it(tmp_path: Path) -> None:
    """It comes first, while there is FP32 to look at; the others then find the weights it folded into."""
    graph = transformer(tmp_path / "plain.onnx")
    mixed = mixed_scheme(Recipe("smolvla", "expert", "int8-smooth", (Rule("layers.*.mlp.up_proj", "int8w"), Rule("enter", "fp32"))))
    decisions = mixed.apply(graph, tmp_path / "mixed.onnx", everywhere, inputs())
    assert audited(graph, tmp_path / "mixed.onnx", "mixed", decisions).quantized_nodes == layer_count() - 1
    assert cosine(tmp_path / "mixed.onnx", graph) > 0.99
