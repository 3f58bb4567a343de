"""What the server says to the Closed loop tab, live part: plain data in, plain JSON out. Knows no Gradio and runs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vla_demo.core.formats import latency, percent
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.evaluation.closed_loop import Judgement
from vla_demo.evaluation.latency import LatencySource
from vla_demo.runtime.control_loop import MODES, Tick
from vla_demo.ui.loop import words as loop_words
from vla_demo.ui.loop.link import LoopLink
from vla_demo.ui.shared import messages, words
from vla_demo.ui.shared.messages import Message, Strip, message
from vla_demo.ui.shared.pictures import jpegs
from vla_demo.workbench.rollout.live import LaneEnd, LiveFrame
from vla_demo.workbench.rollout.scenes import MAIN_CAMERA, StartCard

__all__ = ["RATES", "THRESHOLDS", "frames", "policy", "report", "setting", "shots", "sketch", "timed", "trace"]

RATES = (10, 20, 30, 50, 60)  # fps that the twin's steps fit into
THRESHOLDS = (0.25, 0.5, 0.75, 1.0)


def setting(bundled: Mapping[str, str], starts: Sequence[StartCard], view: LoopLink | None, missing: Sequence[str] = ()) -> Message:
    """The first message of a visit. Without the twin there is no view, and `missing` says what to install, in sentences."""
    known = messages.offered(bundled)
    places = {split: 0 for split in (card.split for card in starts)}
    listed = []
    for card in starts:
        places[card.split] += 1
        listed.append({"value": card.number, "label": loop_words.start_label(card, places[card.split])})
    return message(
        "setting",
        policies=known["policies"],
        starts=listed,
        rates=[{"value": fps, "label": f"{fps} fps"} for fps in RATES],
        thresholds=[{"value": share, "label": f"{percent(share)} of a chunk"} for share in THRESHOLDS],
        marks=loop_words.marks(),
        main=MAIN_CAMERA,
        view=asdict(view) if view is not None else None,
        missing=[*missing, *known["missing"]],
    )


def sketch(run: str, lanes: Sequence[Strip]) -> Message:
    """The lanes' dials while the package is still being made."""
    return message("sketch", run=run, **_policy(lanes[0].spec, [messages.sketch(run, strip)["policy"] for strip in lanes]))


def policy(run: str, package: PolicyPackage, lanes: Sequence[Strip]) -> Message:
    """The policy can act."""
    return message("policy", run=run, **_policy(package.spec, [messages.policy(run, package, strip)["policy"] for strip in lanes]))


def _policy(spec: PolicySpec, strips: Sequence[Message]) -> Message:
    return {
        "family": spec.family,
        "strips": strips,
        "modes": words.modes(spec),
        "actions": {mode: spec.n_action_steps if mode == "sync" else spec.chunk_size for mode in MODES},
    }


def trace(ticks: Sequence[Tick]) -> dict[str, Any]:
    """What the timeline draws: of every tick how many actions wait and whether it had none, and when chunks were asked for and came."""
    return {
        "from": ticks[0].index if ticks else 0,
        "depth": [tick.queue_depth for tick in ticks],
        "starved": [int(tick.action is None) for tick in ticks],
        "asked": [tick.at for tick in ticks if tick.asked is not None],
        "arrived": [[tick.arrived.request.asked_at, tick.at] for tick in ticks if tick.arrived is not None],
    }


def frames(run: str, shown: Sequence[LiveFrame]) -> Message:
    return message("frames", run=run, **shots(shown))


def shots(shown: Sequence[LiveFrame]) -> Message:
    return {"frames": [_frame(one) for one in shown]}


def _frame(shown: LiveFrame) -> Message:
    ticks = [each.tick for each in shown.ticks]
    state = _state(shown.ticks[-1].judgement)
    return {
        "lane": shown.lane,
        "t": ticks[-1].at,
        "state": state,
        "done": shown.ticks[-1].judgement.success,
        "pictures": jpegs(shown.pictures),
        **trace(ticks),
    }


def _state(judgement: Judgement) -> str:
    if judgement.success:
        return "done: the bag is in the mug"
    return "bag in the mug" if judgement.in_goal else "holds the bag" if judgement.held else ""


def report(run: str, ends: Sequence[LaneEnd], ticks: Mapping[int, Sequence[Tick]], seed: int) -> Message:
    """What became of the lanes, with all that happened in them: whoever missed a message has it now. `ends` is not empty."""
    lanes = [_end(one, ticks[one.lane]) for one in sorted(ends, key=lambda one: one.lane)]
    return message("report", run=run, lanes=lanes, how=loop_words.HOW.format(seed=seed, latency=latency(ends[0].report.latency.seconds)))


def _end(shown: LaneEnd, ticks: Sequence[Tick]) -> Message:
    before = next((i for i, tick in enumerate(ticks) if tick.action is not None), len(ticks))
    return {
        "lane": shown.lane,
        "success": bool(shown.report.successes),
        "headline": loop_words.headline(shown.report, shown.stopped),
        "rows": loop_words.rows(shown.report, before),
        "trace": trace(ticks),
    }


def timed(run: str, source: LatencySource) -> Message:
    return message("timed", run=run, ms=source.seconds * 1e3, about=f"Measured: {source.about}.")
