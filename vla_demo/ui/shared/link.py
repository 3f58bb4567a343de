"""Reading the page's link part by part: a bad part is named and replaced by its default; the rest still counts. Knows no Gradio.

`tab` is the browser's own; a tab reads the other parts as it needs them. Whether a variant fits its policy is only known once its stages
are; until then it is text.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from vla_demo.core.errors import UnknownVariant
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant

__all__ = ["MAX_SEED", "Part", "one_of", "part_reader", "read_policy", "read_variant", "short_text"]

MAX_SEED = 9999
MAX_TEXT = 500  # characters of a policy or variant; longer is no name


class Part(Protocol):
    """Reads one part of a link."""

    def __call__[T](self, key: str, read: Callable[[str], T], default: T, valid: str) -> T:
        """`read` raises `ValueError` for a bad one; `valid` says what a good one is."""
        ...


def part_reader(params: Mapping[str, str]) -> tuple[Part, list[str]]:
    """What reads the parts of a link, and the sentences about those that were wrong, which grow as it reads."""
    wrong: list[str] = []

    def part[T](key: str, read: Callable[[str], T], default: T, valid: str) -> T:
        text = params.get(key, "")
        try:
            return read(text) if text else default
        except ValueError:
            wrong.append(f"The link's {key}={text[:40]!r} is not {valid}; showing the default.")
            return default

    return part, wrong


def read_variant(text: str, spec: PolicySpec) -> tuple[Variant, list[str]]:
    """The variant with every part of `text` that this policy can have, and a sentence for each that it cannot."""
    good: list[str] = []
    wrong: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            Variant.parse(",".join([*good, part]), spec)
            good.append(part)
        except UnknownVariant as error:
            wrong.append(f"{error}; leaving {part[:60]} out.")
    return Variant.parse(",".join(good), spec), wrong


def read_policy(part: Part, bundled: Collection[str]) -> str:
    """The policy a link is about; empty when it names none and none is bundled."""
    return part("policy", short_text, next(iter(bundled), ""), "a policy's name, folder or Hub id")


def short_text(text: str) -> str:
    """Raises `ValueError` for what is no name of anything."""
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError(text)
    return text


def one_of[T](value: T, valid: Collection[T]) -> T:
    """Raises `ValueError` for any other."""
    if value not in valid:
        raise ValueError(value)
    return value
