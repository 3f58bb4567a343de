"""The scheme behind `mixed-<recipe>`: each layer in the precision that a recipe gives it, by the schemes of those precisions."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_demo.core.package import Decision, PolicyPackage
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.quantization.audit import Product, graph_products
from vla_demo.quantization.calibration import Feeds, Where
from vla_demo.quantization.layers import stage_layers
from vla_demo.quantization.recipes import Recipe
from vla_demo.quantization.rewriting import rewriting
from vla_demo.quantization.schemes import Scheme

__all__ = ["Mixed"]

_KEPT_IN_FP32 = "the recipe keeps it in FP32"


@dataclass(frozen=True, slots=True)
class Mixed:
    """One scheme after the other, each on its own layers."""

    recipe: Recipe
    schemes: Mapping[str, Scheme]  # of each precision that the recipe names, but FP32

    @property
    def needs_calibration(self) -> bool:
        return any(scheme.needs_calibration for scheme in self.schemes.values())

    def settings(self) -> Mapping[str, Any]:
        document = self.recipe.as_json()
        rules = {"default": document["default"], "rules": document["rules"]}
        return {"scheme": type(self).__name__} | rules | {"schemes": {p: dict(scheme.settings()) for p, scheme in self.schemes.items()}}

    def apply(self, prepared: Path, target: Path, where: Where, feeds: Feeds | None) -> Sequence[Decision]:
        """As `Scheme.apply`; layers that the recipe leaves in FP32 are decided upon too, with that as the reason."""
        chosen = {product.layer: product for product in graph_products(prepared) if where(product.layer)}
        decisions = [_fp32_decision(p) for p in chosen.values() if self.recipe.precision_of(p.layer) == REFERENCE_PRECISION]
        with tempfile.TemporaryDirectory(dir=target.parent) as workshop:
            current = prepared
            for number, (precision, scheme) in enumerate(self._in_order()):
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

    def _in_order(self) -> list[tuple[str, Scheme]]:
        """Those that look at data first: they should see FP32."""
        return sorted(self.schemes.items(), key=lambda pair: not pair[1].needs_calibration)


def _write_copy(source: Path, target: Path) -> None:
    """A graph names the file of its weights, so it is not enough to copy both."""
    with rewriting(source, target) as to:
        for node in to.model.graph.node:
            to.keep(node)


def _fp32_decision(product: Product) -> Decision:
    return Decision(product.layer, product.operation, REFERENCE_PRECISION, product.weight_bytes, _KEPT_IN_FP32)
