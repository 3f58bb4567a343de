"""The Replay tab's link: `?policy=&variant=&episode=&seed=&run=&t=`. Knows no Gradio."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vla_demo.ui.shared.link import MAX_SEED, one_of, part_reader, read_policy, short_text

__all__ = ["View", "read_link"]


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows."""

    policy: str  # bundled name, folder or Hub id; may be empty where nothing is bundled
    variant: str | None  # as written in the link; None: the policy's FP32
    episode: int
    seed: int
    t: float | None  # s, where the cursor is parked; None: the episode plays
    run: bool  # start this variant's run at once
    open: bool  # prepare the policy at once. Only bundled ones: following a link must not fetch a stranger's checkpoint


def read_link(params: Mapping[str, str], bundled: Collection[str], episodes: Collection[int]) -> tuple[View, list[str]]:
    """The view a link asks for, and a sentence for every part that was wrong. `episodes` is not empty."""
    part, wrong = part_reader(params)
    policy = read_policy(part, bundled)
    known = policy in bundled
    view = View(
        policy=policy,
        variant=part("variant", short_text, None, "a variant like vision=int8,expert=fp32"),
        episode=part("episode", lambda s: one_of(int(s), episodes), next(iter(episodes)), f"one of the {len(episodes)} episodes"),
        seed=part("seed", lambda s: one_of(int(s), range(MAX_SEED + 1)), 0, f"a whole number from 0 to {MAX_SEED}"),
        t=part("t", _seconds, None, "a time in seconds"),
        run=part("run", lambda s: bool(one_of(int(s), (0, 1))), False, "0 or 1") and known,
        open=known,
    )
    return view, wrong


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value
