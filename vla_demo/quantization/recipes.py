"""Recipes: which layer of a stage runs in which precision, as a small file that a person can read, edit, share and apply elsewhere.

A recipe is named by the content of its rules: `mixed-<name>` is the precision that means it. It knows nothing of how a layer is quantized.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.precision import REFERENCE_PRECISION, Precision
from vla_demo.core.storage import cache_folder, write_whole

__all__ = ["Recipe", "Rule", "find_recipe", "keep_recipe", "read_recipe", "recipe_from_json", "write_recipe"]

RECIPE_VERSION = 1
_FIELDS = {"version", "family", "stage", "default", "rules", "found"}
_NAME_DIGITS = 12
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """`layers` is a layer's name, or a pattern with * and ?, such as `layers.*.mlp.down_proj`."""

    layers: str
    precision: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """The first rule that matches a layer decides; where none does, `default`."""

    family: str  # "act" | "smolvla"
    stage: str  # "vision" | "llm" | "expert"
    default: str
    rules: tuple[Rule, ...]
    found: Mapping[str, Any] = field(default_factory=dict)  # how: budget, error, bytes, data; for a person, no part of the name

    @property
    def name(self) -> str:
        """12 hexadecimal digits of the sha256 of everything that decides something."""
        decides = [self.family, self.stage, self.default, [[rule.layers, rule.precision] for rule in self.rules]]
        return hashlib.sha256(json.dumps(decides, separators=(",", ":")).encode()).hexdigest()[:_NAME_DIGITS]

    @property
    def precision(self) -> str:
        """What a variant calls it."""
        return f"mixed-{self.name}"

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those it names, each once."""
        return tuple(dict.fromkeys([*(rule.precision for rule in self.rules), self.default]))

    def precision_of(self, layer: str) -> str:
        return next((rule.precision for rule in self.rules if fnmatchcase(layer, rule.layers)), self.default)

    def check_fits(self, family: str, stage: str, layers: Iterable[str]) -> None:
        """Raise `InvalidInput` unless it is for this family and stage and each of its rules decides about one of the `layers` at least."""
        if (self.family, self.stage) != (family, stage):
            raise InvalidInput(f"the recipe {self.name} is for {self.family}'s stage {self.stage}, not for {family}'s stage {stage}")
        left = list(layers)
        for rule in self.rules:
            matched = [layer for layer in left if fnmatchcase(layer, rule.layers)]
            if not matched:
                raise InvalidInput(
                    f"the rule {rule.layers!r} of the recipe {self.name} decides about no layer of {stage}; "
                    f"what the rules before it leave: {', '.join(left[:8]) or 'nothing'}{', …' if len(left) > 8 else ''}"
                )
            left = [layer for layer in left if layer not in matched]

    def as_json(self) -> dict[str, Any]:
        rules = [{"layers": rule.layers, "precision": rule.precision} for rule in self.rules]
        head = {"version": RECIPE_VERSION, "family": self.family, "stage": self.stage}
        return head | {"found": dict(self.found), "rules": rules, "default": self.default}


def write_recipe(recipe: Recipe, path: Path) -> None:
    """As a file to read, edit and share; one rule a line."""
    document = recipe.as_json()
    rules = ",\n".join(f"  {json.dumps(rule, ensure_ascii=False)}" for rule in document.pop("rules"))
    head = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).rstrip("}\n")
    write_whole(path, f'{head},\n "rules": [\n{rules}\n ]\n}}\n'.encode())


def read_recipe(path: Path) -> Recipe:
    """Raises `InvalidInput`: no such file, not a recipe, a precision that does not exist."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidInput(f"{path} is larger than any recipe")
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InvalidInput(
            f"{path} cannot be read as a recipe ({problem}); `vla-demo mix POLICY --stage S --out FILE` writes one"
        ) from problem
    try:
        return recipe_from_json(document)
    except VlaDemoError as problem:
        raise InvalidInput(f"{path} is not a recipe: {problem}") from problem


def recipe_from_json(document: Any) -> Recipe:
    """Strict: a misspelled field would silently decide nothing. Raises `InvalidInput` or `UnknownVariant`."""
    if not isinstance(document, dict) or document.get("version") != RECIPE_VERSION:
        raise InvalidInput(f'it needs "version": {RECIPE_VERSION}')
    if set(document) - {"found"} != _FIELDS - {"found"}:
        odd = set(document) ^ (_FIELDS - {"found"})
        raise InvalidInput(f"its fields are {', '.join(sorted(_FIELDS))}; missing or unknown: {', '.join(sorted(odd - {'found'}))}")
    if not isinstance(document["rules"], list) or not isinstance(document.get("found", {}), dict):
        raise InvalidInput('"rules" is a list and "found" an object')
    rules = tuple(_rule(entry) for entry in document["rules"])
    texts = {key: _text(document[key], key) for key in ("family", "stage", "default")}
    return Recipe(texts["family"], texts["stage"], _layer_precision(texts["default"]), rules, document.get("found", {}))


def keep_recipe(recipe: Recipe, cache: Path | None = None) -> Path:
    """Put it where `find_recipe` looks."""
    path = _place(recipe.name, cache)
    write_recipe(recipe, path)
    return path


def find_recipe(name: str, cache: Path | None = None) -> Recipe:
    """The kept recipe of that name. Raises `InvalidInput`, saying how to get it."""
    path = _place(name, cache)
    if not path.exists():
        raise InvalidInput(
            f"there is no recipe {name} in {path.parent}; give its file with `vla-demo replay POLICY --variant STAGE=mixed --recipe FILE`, "
            f"or find one with `vla-demo mix POLICY --stage STAGE --max-error E`"
        )
    recipe = read_recipe(path)
    if recipe.name != name:
        raise InvalidInput(f"{path} was edited: its rules are those of {recipe.name}; give it as a file instead")
    return recipe


def _place(name: str, cache: Path | None) -> Path:
    return (cache or cache_folder()) / "recipes" / f"{name}.json"


def _rule(entry: Any) -> Rule:
    if not isinstance(entry, dict) or set(entry) != {"layers", "precision"}:
        raise InvalidInput(f'a rule is {{"layers": ..., "precision": ...}}, not {json.dumps(entry)}')
    return Rule(_text(entry["layers"], "layers"), _layer_precision(_text(entry["precision"], "precision")))


def _layer_precision(text: str) -> str:
    precision = Precision.parse(text)
    if precision.scheme == "mixed":
        raise InvalidInput("a recipe cannot contain another recipe")
    return REFERENCE_PRECISION if str(precision) == REFERENCE_PRECISION else str(precision)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{key!r} is a text, not {json.dumps(value)}")
    return value
