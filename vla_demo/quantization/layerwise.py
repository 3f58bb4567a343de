"""Goes through a prepared graph and lets a scheme rewrite each product with weights it was asked to; keeps count of what became of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.package import Decision
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.quantization.audit import products
from vla_demo.quantization.calibration import Where
from vla_demo.quantization.rewriting import Rewriting, rewriting

__all__ = ["Rewrite", "rewrite_products"]

Rewrite = Callable[[Rewriting, Any, NDArray[np.float32]], str]
"""Writes the quantized form of one node with these weights and answers ""; or writes nothing and answers why it stays as it is."""


def rewrite_products(prepared: Path, target: Path, where: Where, precision: str, rewrite: Rewrite) -> Sequence[Decision]:
    """Write `target` with the chosen products rewritten, weights (K, N) or (O, C, ...); one weight is in memory at a time."""
    decisions: list[Decision] = []
    with rewriting(prepared, target) as to:
        chosen = {product.layer: product for product in products(to.model) if where(product.layer)}
        for node in to.model.graph.node:
            product = chosen.get(node.name)
            if product is None:
                to.keep(node)
                continue
            reason = rewrite(to, node, to.weight(product.weight))
            if reason:
                to.keep(node)
            kept_or_made = REFERENCE_PRECISION if reason else precision
            decisions.append(Decision(product.layer, product.operation, kept_or_made, product.weight_bytes, reason))
    return decisions
