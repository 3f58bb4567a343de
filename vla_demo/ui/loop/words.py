"""The sentences of the Closed loop tab, live part: what to expect of a latency, and what one rollout measured. Pure functions."""

from typing import Any

from vla_demo.core.formats import latency, optional, percent, seconds
from vla_demo.core.labels import family_label, variant_label
from vla_demo.core.variant import Variant
from vla_demo.evaluation.claims.article import PRINTED
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.evaluation.roofline import FULL_SIZE, IMX95, checked, predict
from vla_demo.runtime.feasibility import Feasibility, feasibility
from vla_demo.workbench.robot.latencies import BoardLatency
from vla_demo.workbench.rollout.scenes import StartCard

__all__ = [
    "HOW",
    "expected",
    "headline",
    "marks",
    "on_board",
    "pace",
    "predicted",
    "rows",
    "rules",
    "start_label",
]

HOW = (
    "One rollout from one start, noise seed {seed}, in the twin. Time is simulated: every inference costs exactly {latency}, however long "
    "it took on this machine. One rollout tells nothing about a success rate; the batch below does."
)


def start_label(card: StartCard, place: int) -> str:
    held_out = " (unseen)" if card.split == "validation" else ""
    return f"{card.split.capitalize()} {place} · cluster {card.cluster}{held_out}"


def marks() -> list[dict[str, Any]]:
    """The published latencies, for the slider."""
    return [
        {
            "ms": row.latency * 1e3,
            "family": row.family,
            "label": f"{family_label(row.family)} {latency(row.latency)}",
            "about": f"Published: {family_label(row.family)}, {'optimized' if row.quantized else 'FP32'}, six Cortex-A55 of an i.MX95 "
            "(NXP and Hugging Face, 5 March 2026, full-size policy).",
        }
        for row in PRINTED
    ]


def on_board(found: BoardLatency) -> dict[str, Any]:
    """For the slider: what a board has measured."""
    about = found.source().about
    return {
        "board": found.board,
        "variant": found.variant,
        "ms": found.seconds * 1e3,
        "label": f"{found.board}, {variant_label(found.variant)}: {latency(found.seconds)}",
        "about": f"{about[0].upper()}{about[1:]}.",
    }


def predicted(family: str, variant: Variant) -> dict[str, Any]:
    """For the slider: where the roofline puts this variant of a family's full-size policy, with its band."""
    found = predict(FULL_SIZE[family], variant, IMX95)
    name = family_label(family)
    band = f"{latency(found.low)} to {latency(found.high)}, most likely {latency(found.seconds)}"
    about = f"A full-size {name} as {variant}: {band}; {found.about} {checked(family)}"
    return {"ms": found.seconds * 1e3, "low": found.low * 1e3, "high": found.high * 1e3, "about": about}


def rules(delay: float, chunk: int, fps: float, threshold: float) -> dict[str, Any]:
    """Both rules, each with its slack and the highest rate that still holds."""
    found = feasibility(delay, chunk, fps, threshold)
    share = min(threshold, 0.5)
    whole, part = latency(chunk / fps), latency(share * chunk / fps)
    covered, sustained = (found.covered_slack_ms, found.covered_fps), (found.sustained_slack_ms, found.sustained_fps)
    return {
        "lead": f"Chunks of {chunk} at {fps:g} fps last {whole}. An inference takes {latency(delay)}.",
        "rules": [
            _rule("The article's rule", f"shorter than a chunk, {whole}", found.covered, covered),
            _rule("What stamped chunks need", f"at most {percent(share)} of a chunk, {part}", found.sustained, sustained),
        ],
        "reading": _reading(found),
    }


def pace(fps: float, recorded: float) -> str:
    """A sentence when the arm is not moved at the rate of the recordings."""
    if fps == recorded:
        return ""
    return f" The recordings have {recorded:g} fps: what was learned from them is carried out {fps / recorded:.2g} times as fast."


def _rule(name: str, asks: str, holds: bool, slack: tuple[float, float]) -> dict[str, Any]:
    """`slack`: in ms, negative by what is missing, and the highest fps that keeps the rule."""
    slack_ms, fps = slack
    margin = f"{latency(abs(slack_ms) / 1e3)} {'to spare' if holds else 'too long'}"
    up_to = "at any rate" if fps == float("inf") else f"{'holds' if holds else 'would hold'} up to {fps:.3g} fps"
    return {"name": name, "asks": asks, "holds": holds, "margin": margin, "fps": up_to}


def _reading(found: Feasibility) -> str:
    if found.sustained:
        return "In async mode the arm never waits for a plan once it has begun."
    share = f"about {percent(found.idle_share)} of the time"
    if found.covered:
        return (
            "Shorter than a chunk is not enough: what was carried out meanwhile is stale when the plan arrives. "
            f"The arm stands still {share} in async mode."
        )
    return f"No plan arrives in time in any mode. The arm stands still {share} in async mode."


def expected(mode: str, delay: float, actions: int, fps: float, threshold: float) -> dict[str, Any]:
    """Of one lane, in the long run: the share of ticks without an action."""
    idle = feasibility(delay, actions, fps, 0.0 if mode == "sync" else threshold).idle_share
    return {"idle": idle, "text": "never starves once it has begun" if idle == 0 else f"stands still {percent(idle)} of the time"}


def headline(report: RolloutReport, stopped: bool) -> str:
    took = seconds(report.starts[0].seconds)
    if report.successes:
        return f"In the mug after {took}"
    return f"Stopped after {took}" if stopped else f"Not in the mug within {took}"


def rows(report: RolloutReport, before: int) -> list[dict[str, str]]:
    """The figures of one rollout; a figure that was not to be had is a dash.

    `before`: ticks until the first action.
    """

    def row(label: str, value: str, about: str, note: str = "") -> dict[str, str]:
        return {"label": label, "value": value, "about": about, "note": note}

    first = "all" if report.starved_ticks == before else f"{before} of them"
    stale = "–" if report.stale_share is None else percent(report.stale_share, 1)
    return [
        row("idle", percent(report.idle_share, 1), "of the ticks the arm had no action"),
        row("starved", f"{report.starved_ticks} ticks", "without an action", f"{first} before the first plan" if before else ""),
        row("stale", stale, "of the planned actions came too late"),
        row("age of what it acts on", optional(report.observation_age_s, "{:.2f} s"), "median over the executed actions"),
        row("jump between chunks", optional(report.boundary_jump, "{:.2f} ×"), "a step inside a chunk"),
        row("jerk", optional(report.jerk, "{:.0f} σ/s³"), "standard deviations of the action per second cubed"),
    ]
