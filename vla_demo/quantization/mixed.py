"""The scheme behind `mixed-<recipe>`: each layer in the precision that a recipe gives it, by the schemes of those precisions."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.core.package import Decision, PolicyPackage
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.quantization.audit import Product, products
from vla_demo.quantization.calibration import Feeds, Where
from vla_demo.quantization.layers import stage_layers
from vla_demo.quantization.recipes import Recipe, find_recipe
from vla_demo.quantization.schemes import Scheme, scheme_for

__all__ = ["Mixed", "graph_products", "mixed_scheme"]

_AS_TOLD = "the recipe keeps it in FP32"


@dataclass(frozen=True, slots=True)
class Mixed:
    """One scheme after the other, each on its own layers."""

    recipe: Recipe

    @property
    def needs_calibration(self) -> bool:
        return any(scheme.needs_calibration for _, scheme in self._schemes())

    def settings(self) -> Mapping[str, Any]:
        document = self.recipe.as_json()
        rules = {"default": document["default"], "rules": document["rules"]}
        return {"scheme": type(self).__name__} | rules | {"schemes": {p: dict(scheme.settings()) for p, scheme in self._schemes()}}

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """Layers that the recipe leaves in FP32 are decided upon too, with that as the reason."""
        chosen = {product.layer: product for product in graph_products(prepared) if where(product.layer)}
        decisions = [_kept(p) for p in chosen.values() if self.recipe.precision_of(p.layer) == REFERENCE_PRECISION]
        with tempfile.TemporaryDirectory(dir=target.parent) as workshop:
            current = prepared
            for number, (precision, scheme) in enumerate(self._schemes()):
                layers = {layer for layer in chosen if self.recipe.precision_of(layer) == precision}
                if layers:
                    following = Path(workshop) / f"{number}.onnx"
                    decisions += scheme.apply(current, following, layers.__contains__, feeds)
                    current = following
            _write_copy(current, target)
        return decisions

    def check_fits(self, package: PolicyPackage, role: str) -> None:
        """Raise `InvalidInput` unless the recipe is for this family and stage and each of its rules decides about one of its layers."""
        layers = [layer for layers in stage_layers(package, role).values() for layer in layers]
        self.recipe.check_fits(package.spec.family, role, layers)

    def _schemes(self) -> list[tuple[str, Scheme]]:
        """Those that look at data first: they should see FP32."""
        found = [(precision, scheme_for(precision)) for precision in self.recipe.precisions if precision != REFERENCE_PRECISION]
        return sorted(found, key=lambda pair: not pair[1].needs_calibration)


def mixed_scheme(name: str, cache: Path | None = None) -> Mixed:
    """The scheme of a kept recipe. Raises `InvalidInput` when it is not there."""
    return Mixed(find_recipe(name, cache))


def _write_copy(source: Path, target: Path) -> None:
    """A graph names the file of its weights, so it is not enough to copy both."""
    from vla_demo.quantization.rewriting import rewriting

    with rewriting(source, target) as to:
        for node in to.model.graph.node:
            to.keep(node)


def _kept(product: Product) -> Decision:
    return Decision(product.layer, product.operation, REFERENCE_PRECISION, product.weight_bytes, _AS_TOLD)


def graph_products(graph: Path) -> list[Product]:
    """The products with weights of a prepared graph's file."""
    import onnx

    return products(onnx.load(graph, load_external_data=False))
