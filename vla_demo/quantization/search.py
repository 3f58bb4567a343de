"""Finds a mixed recipe under a budget: layers are ranked by measured sensitivity for each byte saved, then unions of them are measured.

Errors of single layers do not add up, so the ranking only orders the moves; what a recipe costs is measured on all its layers at once, and
the number of moves is bisected on that. It knows the names of precisions, not how they work.
"""

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vla_demo.core.errors import InvalidInput, QuantizationError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.quantization.audit import graph_products
from vla_demo.quantization.calibration import Calibration
from vla_demo.quantization.catalogue import mixed_scheme
from vla_demo.quantization.recipes import Recipe, Rule
from vla_demo.quantization.sensitivity import LayerSensitivity, Working, measured_layers
from vla_demo.quantization.trials import Judgement, Trials

__all__ = ["Budget", "FoundRecipe", "rules_for", "search_recipe"]

SEARCHED = ("int8", "int4")
Assignment = Mapping[str, str]  # layer -> precision, of the layers that are not FP32


@dataclass(frozen=True, slots=True)
class Budget:
    """One of the two. Raises `InvalidInput` otherwise."""

    max_error: float | None = None  # mean RMS error of a chunk, in standard deviations of the action
    max_bytes: int | None = None  # of the stage's graphs

    def __post_init__(self) -> None:
        given = [value for value in (self.max_error, self.max_bytes) if value is not None]
        if len(given) != 1 or not given[0] > 0:
            raise InvalidInput("give either a largest error or a largest number of bytes, more than 0")

    def allows(self, error: float, size: int) -> bool:
        return error <= self.max_error if self.max_error is not None else size <= (self.max_bytes or 0)

    @property
    def prefers_more(self) -> bool:
        """Whether the most quantized stage within the budget is wanted (an error budget), or the least (a byte budget)."""
        return self.max_error is not None


@dataclass(frozen=True, slots=True)
class FoundRecipe:
    """The end of a search."""

    recipe: Recipe
    error: float  # measured on the whole stage, as `Budget.max_error` is
    size: int  # bytes of the stage's graphs
    fp32_size: int
    layers: tuple[LayerSensitivity, ...]  # what the ranking was made from


@dataclass(frozen=True, slots=True)
class _Move:
    """One layer from one precision to a smaller one."""

    layer: str
    to: str
    saved: int
    harm: float  # squared error it adds, were errors to add up


def search_recipe(
    package: PolicyPackage,
    role: str,
    budget: Budget,
    judgement: Judgement,
    *,
    precisions: Sequence[str] = SEARCHED,
    calibration: Calibration | None = None,
) -> Iterator[Working | FoundRecipe]:
    """Progress, then what was found. Raises `QuantizationError` when nothing fits in the budget, saying what would; close it to stop."""
    with tempfile.TemporaryDirectory(prefix="vla-demo-mix-") as folder:
        yield Working(f"Preparing the layers of {role}", 0.0)
        trials = Trials(package, role, judgement, Path(folder))
        layers: list[LayerSensitivity] = []
        for step in measured_layers(trials, precisions, calibration):
            if isinstance(step, LayerSensitivity):
                layers.append(step)
            else:
                yield replace(step, fraction=0.8 * step.fraction)
        unions = _Unions(trials, calibration, ranked_moves(layers))
        best = yield from _bisect(unions, budget)
        error, size = unions.measured(best)
        recipe = rules_for(package.spec.family, role, unions.assignment(best), unions.layers)
        found = _provenance(budget, error, size, unions, judgement)
        yield FoundRecipe(replace(recipe, found=found), error, size, trials.size({}), tuple(layers))


def ranked_moves(layers: Sequence[LayerSensitivity]) -> list[_Move]:
    """All worthwhile moves, the cheapest for each byte first; a layer's own moves go from more bits to fewer."""
    by_layer: dict[str, list[LayerSensitivity]] = defaultdict(list)
    for layer in layers:
        by_layer[layer.layer].append(layer)
    moves = [move for options in by_layer.values() for move in _hull(options)]
    return sorted(moves, key=lambda move: move.harm / move.saved)


def rules_for(family: str, stage: str, assignment: Assignment, layers: Sequence[str]) -> Recipe:
    """The shortest recipe in this manner: a default, a pattern where all layers of a kind agree, else layers by name."""
    chosen = {layer: assignment.get(layer, REFERENCE_PRECISION) for layer in layers}
    default = Counter(chosen.values()).most_common(1)[0][0]
    kinds: dict[str, list[str]] = defaultdict(list)
    for layer in layers:
        kinds[_kind(layer)].append(layer)
    single, patterns = [], []
    for kind, members in kinds.items():
        precisions = {chosen[layer] for layer in members}
        if len(precisions) == 1 and len(members) > 1:
            patterns += [Rule(kind, precision) for precision in precisions if precision != default]
        else:
            single += [Rule(layer, chosen[layer]) for layer in members if chosen[layer] != default]
    return Recipe(family, stage, default, (*single, *patterns))


class _Unions:
    """The first so many moves together, each measured once."""

    def __init__(self, trials: Trials, calibration: Calibration | None, moves: Sequence[_Move]) -> None:
        self.moves = moves
        self._trials, self._calibration = trials, calibration
        self._graphs = {name: [product.layer for product in graph_products(path)] for name, path in trials.prepared.items()}
        self._known: dict[int, tuple[float, int]] = {}

    @property
    def layers(self) -> list[str]:
        return [layer for layers in self._graphs.values() for layer in layers]

    def assignment(self, count: int) -> Assignment:
        return {move.layer: move.to for move in self.moves[:count]}

    def measured(self, count: int) -> tuple[float, int]:
        """(mean error, bytes of the stage)."""
        if count not in self._known:
            self._known[count] = self._measure(self.assignment(count))
        return self._known[count]

    def _measure(self, assignment: Assignment) -> tuple[float, int]:
        trials = self._trials
        rules = tuple(Rule(layer, precision) for layer, precision in assignment.items())
        scheme = mixed_scheme(Recipe(trials.package.spec.family, trials.role, REFERENCE_PRECISION, rules))
        with tempfile.TemporaryDirectory(dir=trials.folder) as folder:
            tried: dict[str, Path] = {}
            for name, layers in self._graphs.items():
                if assignment.keys() & set(layers):
                    tried[name] = Path(folder) / f"{name}.onnx"
                    feeds = self._calibration.feeds(trials.package, trials.graphs[name]) if self._calibration is not None else None
                    scheme.apply(trials.prepared[name], tried[name], lambda layer: True, feeds)
            return float(np.mean(trials.errors(tried))), trials.size(tried)


def _bisect(unions: _Unions, budget: Budget) -> Generator[Working, None, int]:
    """How many moves to make; what it answers was measured and is within the budget."""
    every, few, many = len(unions.moves), 0, len(unions.moves)
    if not every:
        raise QuantizationError("no layer of this stage gets smaller in the precisions that are searched")
    rounds = max(1, every.bit_length())
    best: int | None = None
    for number in range(2 * rounds):
        if few > many:
            break
        count = (few + many + 1) // 2 if number else every
        yield Working(f"Measuring {count} of {every} moves together (round {number + 1})", 0.8 + 0.2 * number / (rounds + 2))
        fits = budget.allows(*unions.measured(count)) if count else False
        if fits:
            best = count
        if fits == budget.prefers_more:
            few = count + 1
        else:
            many = count - 1
    if best is None:
        raise QuantizationError(_misfit_message(unions, budget))
    return best


def _misfit_message(unions: _Unions, budget: Budget) -> str:
    if budget.prefers_more:
        error, _ = unions.measured(1)
        return f"even one layer ({unions.moves[0].layer} in {unions.moves[0].to}) costs {error:.2g} standard deviations; allow that much"
    _, size = unions.measured(len(unions.moves))
    return f"with every layer in its smallest precision the stage has {size} bytes; allow that many"


def _hull(options: Sequence[LayerSensitivity]) -> list[_Move]:
    """A layer's moves in the order of bytes saved, without those that another beats: each next one costs more for a byte than the last."""
    points: list[tuple[int, float, str]] = [(0, 0.0, REFERENCE_PRECISION)]
    for option in sorted(options, key=lambda o: o.saved_bytes):
        saved, harm = option.saved_bytes, float(np.mean(np.square(option.action_errors)))
        if saved <= points[-1][0]:
            continue
        while len(points) > 1 and _slope(points[-2], points[-1]) >= _slope(points[-1], (saved, harm, "")):
            points.pop()
        points.append((saved, harm, option.precision))
    return [_Move(options[0].layer, to, saved - before, max(harm - less, 0.0)) for (before, less, _), (saved, harm, to) in pairwise(points)]


def _slope(low: tuple[int, float, str], high: tuple[int, float, str]) -> float:
    return (high[1] - low[1]) / (high[0] - low[0])


def _kind(layer: str) -> str:
    """`layers.3.mlp.down_proj` is a `layers.*.mlp.down_proj`."""
    return re.sub(r"(?<=\.)\d+(?=\.)|^\d+(?=\.)|(?<=\.)\d+$", "*", layer)


def _provenance(budget: Budget, error: float, size: int, unions: _Unions, judgement: Judgement) -> dict[str, Any]:
    wanted = {"max_error": budget.max_error} if budget.max_error is not None else {"max_bytes": budget.max_bytes}
    return {
        "budget": wanted,
        "error": round(error, 6),
        "bytes": size,
        "unit": "mean RMS error of a chunk against FP32, in standard deviations of the action",
        "observations": len(judgement.observations),
        "seed": judgement.seed,
        "moves": len(unions.moves),
    }
