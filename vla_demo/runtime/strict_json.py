"""Frozen dataclasses to JSON and back, by their annotations. Strict: a missing, unknown or mistyped field is an error that names its place.

Knows no manifest: it handles dataclasses, tuples, mappings with text keys, `X | None`, text, numbers, booleans and `Any`.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

__all__ = ["StrictJsonError", "from_json", "parse_json", "to_json"]


class StrictJsonError(ValueError):
    """A document that does not have the expected shape; the message starts with the place, as `graphs[2].file`."""


def to_json(value: Any) -> Any:
    """Plain dicts, lists and scalars for `json.dumps`."""
    if is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(v) for v in value]
    return value


def parse_json(text: str) -> Any:
    """`json.loads` without its leniencies: a repeated key, NaN and Infinity are errors."""
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except RecursionError:
        raise StrictJsonError("is nested too deeply") from None


def from_json(kind: Any, value: Any, where: str) -> Any:
    """`value` as the annotated type `kind`; `where` is the place that error messages name."""
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(k for k in get_args(kind) if k is not type(None))
        return None if value is None else from_json(inner, value, where)
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if origin is Mapping:
        return _mapping(get_args(kind)[1], value, where)
    return _scalar(kind, value, where)


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in {f.name for f in fields(kind)}}
    _expect(isinstance(value, dict), where, "is not an object")
    missing, unknown = hints.keys() - value.keys(), value.keys() - hints.keys()
    _expect(not missing, where, f"lacks {', '.join(sorted(missing))}")
    _expect(not unknown, where, f"has the unknown field {', '.join(sorted(unknown))}")
    return kind(**{name: from_json(hint, value[name], f"{where}.{name}".lstrip(".")) for name, hint in hints.items()})


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list), where, "is not a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    _expect(len(value) == len(kinds), where, f"has {len(value)} entries instead of {len(kinds)}")
    return tuple(from_json(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))


def _mapping(kind: Any, value: Any, where: str) -> Mapping[str, Any]:
    _expect(isinstance(value, dict), where, "is not an object")
    return {key: from_json(kind, item, f"{where}.{key}") for key, item in value.items()}


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    _expect(type(value) is kind, where, f"is {value!r:.40} instead of {kind.__name__}")
    return value


def _expect(condition: bool, where: str, problem: str) -> None:
    if not condition:
        raise StrictJsonError(f"{where or 'the document'} {problem}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    _expect(len(found) == len(pairs), "an object", f"repeats a key among {', '.join(sorted(found))}")
    return found


def _no_constant(name: str) -> Any:
    raise StrictJsonError(f"a number is {name}")
