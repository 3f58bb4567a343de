"""What the server says to the Robot tab: plain data in, plain JSON out. Knows no Gradio and runs nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vla_demo.board.view import RobotFacts, RobotTick, RobotView
from vla_demo.ui.robot import words as robot_words
from vla_demo.ui.shared.messages import Message, columns, message, offered

__all__ = ["news", "setting"]

TEST_STARTS = 20  # of the twin's protocol


def setting(bundled: Mapping[str, str], hosted: str) -> Message:
    """The first message of a visit. `hosted`: why no robot can be driven from here; empty where one can."""
    known = offered(bundled)
    return message(
        "setting",
        policies=known["policies"],
        missing=[hosted] if hosted else known["missing"],
        starts=[{"value": f"test:{k}", "label": f"Desk {k + 1}"} for k in range(TEST_STARTS)],
        hosted=bool(hosted),
        about=robot_words.NO_EMERGENCY_STOP,
    )


def news(view: RobotView, facts: RobotFacts, after: int) -> dict[str, Any]:
    """What every visitor may know, with the ticks since tick number `after`."""
    return {
        "state": view.state,
        "moving": view.moving,
        "mine": view.mine,
        "holder": view.holder,
        "chunk": view.chunk_size,
        "cells": robot_words.cells(view, facts),
        "roundTrip": round(view.round_trip * 1e3, 1),
        "ticks": _ticks([tick for tick in view.ticks if tick.number > after]),
    }


def _ticks(new: Sequence[RobotTick]) -> dict[str, Any]:
    return {
        "number": new[-1].number if new else 0,
        "at": [round(tick.at, 3) for tick in new],
        "commanded": _columns([tick.commanded for tick in new]),
        "measured": _columns([tick.measured for tick in new]),
        "queue": [tick.queue for tick in new],
        "starved": [int(tick.starved) for tick in new],
    }


def _columns(rows: list[tuple[float, ...]]) -> list[list[float]]:
    """One list a joint."""
    return columns(np.array(rows)) if rows else []
