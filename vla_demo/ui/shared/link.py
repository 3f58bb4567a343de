"""The page's link: `?tab=&policy=&variant=&episode=&seed=&run=&t=`. A bad part is named and replaced by its default; the rest still counts.

Knows no Gradio. Whether the variant fits the policy is only known once its stages are; until then it is text. `tab` is the browser's own.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from vla_demo.core.errors import UnknownVariant
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant

__all__ = ["MAX_SEED", "Part", "View", "part_reader", "read_link", "read_variant"]

MAX_SEED = 9999
MAX_TEXT = 500  # characters of a policy or variant; longer is no name


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows."""

    policy: str  # bundled name, folder or Hub id
    variant: str | None  # as written in the link; None: the policy's FP32
    episode: int
    seed: int
    t: float | None  # s, where the cursor is parked; None: the episode plays
    run: bool  # start this variant's run at once
    open: bool  # prepare the policy at once. Only bundled ones: following a link must not fetch a stranger's checkpoint


def read_link(params: Mapping[str, str], bundled: Collection[str], episodes: Collection[int]) -> tuple[View, list[str]]:
    """The view a link asks for, and a sentence for every part that was wrong. `bundled` and `episodes` are not empty."""
    part, wrong = part_reader(params)
    default_policy = next(iter(bundled))
    policy = part("policy", _short, default_policy, "a policy's name, folder or Hub id")
    known = policy in bundled
    view = View(
        policy=policy,
        variant=part("variant", _short, None, "a variant like vision=int8,expert=fp32"),
        episode=part("episode", lambda s: _one_of(int(s), episodes), next(iter(episodes)), f"one of the {len(episodes)} episodes"),
        seed=part("seed", lambda s: _one_of(int(s), range(MAX_SEED + 1)), 0, f"a whole number from 0 to {MAX_SEED}"),
        t=part("t", _seconds, None, "a time in seconds"),
        run=part("run", lambda s: bool(_one_of(int(s), (0, 1))), False, "0 or 1") and known,
        open=known,
    )
    return view, wrong


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


def _short(text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError(text)
    return text


def _one_of(value: int, valid: Collection[int]) -> int:
    if value not in valid:
        raise ValueError(value)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value
