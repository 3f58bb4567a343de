"""The Closed loop tab's link: `?tab=loop&policy=&lane=&beside=&start=&fps=&threshold=&latency=&seed=`. A bad part is named and replaced by
its default. A lane is `mode` or `mode:variant`; whether the variant fits the policy is only known once its stages are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vla_demo.runtime.control_loop import MODES
from vla_demo.ui.shared.link import MAX_SEED, one_of, part_reader

__all__ = ["MOST_LATENCY_MS", "LaneView", "LoopLink", "read_lane", "read_loop_link"]

MOST_LATENCY_MS = 35_000
_DEFAULT_LATENCY_MS = 2_860.0  # the article's ACT in FP32: where the two rules disagree
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane as a link names it."""

    mode: str
    variant: str  # empty: the policy's FP32


@dataclass(frozen=True, slots=True)
class LoopLink:
    """What the tab shows."""

    policy: str
    lanes: tuple[LaneView, ...]  # 1 or 2
    start: int
    fps: float
    threshold: float
    latency: float  # ms
    board: str  # whose measured latency is to take its place once the policy is open; empty: none
    seed: int
    open: bool  # prepare the policy at once: only bundled ones


def read_loop_link(
    params: Mapping[str, str], bundled: Collection[str], starts: Collection[int], fps: Collection[int]
) -> tuple[LoopLink, list[str]]:
    """The view a link asks for, and a sentence for every part that was wrong. `starts` is not empty."""
    part, wrong = part_reader(params)
    policy = params.get("policy", "") or next(iter(bundled), "")
    first = part("lane", read_lane, LaneView("sync", ""), "a lane like async or sync:vision=int8")
    second = part("beside", read_lane, None if "lane" in params else LaneView("async", ""), "a lane like async or sync:vision=int8")
    most = MOST_LATENCY_MS
    board = params.get("latency", "").partition("board:")[2][:_MAX_TEXT]
    view = LoopLink(
        policy=policy[:_MAX_TEXT],
        lanes=(first,) if second is None else (first, second),
        start=part("start", lambda s: one_of(int(s), starts), next(iter(starts)), "one of the protocol's starts"),
        fps=part("fps", lambda s: float(one_of(int(s), fps)), 30.0, f"one of {', '.join(map(str, fps))}"),
        threshold=part("threshold", lambda s: _between(float(s), 1), 0.5, "a share from 0 to 1"),
        latency=_DEFAULT_LATENCY_MS
        if board
        else part("latency", lambda s: _between(float(s), most), _DEFAULT_LATENCY_MS, f"milliseconds from 0 to {most}, or board:NAME"),
        board=board,
        seed=part("seed", lambda s: one_of(int(s), range(MAX_SEED + 1)), 0, f"a whole number from 0 to {MAX_SEED}"),
        open=policy in bundled,
    )
    return view, wrong


def read_lane(text: str) -> LaneView:
    mode, _, variant = text.partition(":")
    if len(text) > _MAX_TEXT:
        raise ValueError(text)
    return LaneView(one_of(mode, MODES), variant)


def _between(value: float, most: float) -> float:
    if not 0 <= value <= most:
        raise ValueError(value)
    return value
