"""What happens in the Robot tab when the page asks. Connecting and loading are streams of messages; news, Stop and the short commands are
asked directly, so that no queue of Gradio's is in their way.

A visitor's link is named by a random key that only their page knows. Safety does not rest here: it is the board's, and the link's own.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np

from vla_demo.board.view import RobotTick
from vla_demo.core.errors import ConnectionClosed, InvalidInput
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.ui.loop import messages as loop_messages
from vla_demo.ui.loop import words as loop_words
from vla_demo.ui.robot import words as robot_words
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.bench import Bench, Robot
from vla_demo.ui.shared.messages import Message, Strip, columns, message
from vla_demo.ui.shared.session import Session, packaged
from vla_demo.ui.shared.toasts import answered, told
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.trials import RobotTrial

__all__ = ["RobotDesk"]

TEST_STARTS = 20  # of the twin's protocol


@dataclass(slots=True)
class _Visitor:
    link: Robot
    name: str  # as others read it
    session: str
    spec: PolicySpec | None = None  # of the policy that was loaded from this page
    task: RobotTrial | None = None  # the last one started from this page, as it was judged if it was
    judged: bool = False


class RobotDesk:
    """One for the whole app."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._visitors: dict[str, _Visitor] = {}  # by key

    @told("robot", toast=False)
    def visit(self) -> Iterator[Message]:
        yield message(
            "setting",
            policies=[{"id": name, "label": label} for name, label in self._bench.bundled().items()],
            starts=[{"value": f"test:{k}", "label": f"Desk {k + 1}"} for k in range(TEST_STARTS)],
            hosted=robot_words.HOSTED if hosted() else "",
            about=robot_words.NO_EMERGENCY_STOP,
        )

    @told("robot", toast=False)
    def open_simulated(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        key = _allowed()
        for step in self._bench.simulated_robot(_name(key)):
            if isinstance(step, Preparing):
                yield messages.progress(step, str(asked.run))
            else:
                yield self._connected(key, step, request, str(asked.run))

    @told("robot", toast=False)
    def open_board(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        key = _allowed()
        yield messages.progress(Preparing(f"Shaking hands with {asked.address}"), str(asked.run))
        link = self._bench.robot(str(asked.address).strip(), str(asked.token).strip(), _name(key), str(asked.certificate))
        yield self._connected(key, link, request, str(asked.run))

    @told("choice")
    def choose_robot(self, asked: gr.EventData) -> Iterator[Message]:
        """The stages of a policy, its modes, and whether it reads a sentence."""
        work, source = str(asked.run), str(asked.source)
        spec = self._bench.sketch(source)
        if spec is None:
            spec = (yield from packaged(self._bench, source, work, Session().stopping)).spec
        strip = Strip(spec, Variant.reference(spec), self._bench.fps(), self._bench.recipes(spec.family))
        reads = any(stage.role == "llm" for stage in spec.stages)
        yield message("choice", run=work, policy=messages.sketch(work, strip)["policy"], modes=loop_words.modes(spec), reads=reads)

    @told("policy")
    def load_robot(self, asked: gr.EventData) -> Iterator[Message]:
        visitor, work, source = self._visitor(str(asked.key)), str(asked.run), str(asked.source)
        package = yield from packaged(self._bench, source, work, Session().stopping)
        variant = Variant.parse(str(asked.variant), package.spec)
        for step in visitor.link.load(package, variant):
            yield messages.progress(step, work)
        visitor.spec = package.spec
        yield message("loaded", run=work)

    def watch(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The newest news and pictures; also tells that the page is there."""
        return answered(lambda: self._news(self._visitor(str(asked["key"])), int(asked["tick"]), float(asked["seen"])))

    def stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return answered(lambda: self._visitor(str(asked["key"])).link.stop())

    def command(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`verb`: take, takeover, reset, start, pause, rearrange, succeeded, missed, leave."""
        return answered(lambda: self._commanded(asked))

    def checks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The facts to look at before the arm is made ready."""
        return answered(lambda: self._checked(self._visitor(str(asked["key"]))))

    def rates(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """The table of judged tasks."""
        bundled = self._bench.bundled()
        return answered(
            lambda: {"rows": [robot_words.rate(rate, bundled) for rate in self._bench.robot_rates()], "how": robot_words.JUDGED}
        )

    def link(self, key: str) -> Robot:
        """Of a visitor. Raises `BoardError` for a key that is none."""
        return self._visitor(key).link

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        for key, visitor in list(self._visitors.items()):
            if visitor.session == request.session_hash:
                self._close(key, "the page was closed")

    def _connected(self, key: str, link: Robot, request: gr.Request, work: str) -> Message:
        """Whoever comes to a board that nobody commands gets the lease."""
        self._visitors[key] = _Visitor(link, _name(key), str(request.session_hash))
        if not link.watch().holder:
            link.take()
        facts = link.facts
        return message("connected", run=work, key=key, **robot_words.robot(facts))

    def _news(self, visitor: _Visitor, after: int, seen: float) -> dict[str, Any]:
        view, pictures = visitor.link.watch(), visitor.link.look(seen)
        if visitor.task is not None and view.state == "running":  # another's task: nobody asks any more how the one before ended
            visitor.task = replace(visitor.task, inference_s=view.inference) if view.mine else None
        return {
            "state": view.state,
            "reason": view.reason.replace(visitor.name, "you"),
            "moving": view.moving,
            "mine": view.mine,
            "holder": view.holder,
            "judge": robot_words.question(view, visitor.task, visitor.judged),
            "loaded": bool(view.package) and not view.loading and visitor.spec is not None,
            "chunk": view.chunk_size,
            "cells": robot_words.cells(view, visitor.link.facts),
            "roundTrip": round(view.round_trip * 1e3, 1),
            "ticks": _ticks([tick for tick in view.ticks if tick.number > after]),
            "pictures": loop_messages.pictures(pictures.pictures) if pictures is not None else {},
            "seen": seen if pictures is None else pictures.captured_at,
        }

    def _checked(self, visitor: _Visitor) -> dict[str, Any]:
        visitor.link.look(0.0)
        found = robot_words.checks(visitor.link.watch(), visitor.link.facts, visitor.spec)
        return {"facts": found, "ok": all(fact["ok"] for fact in found)}

    def _commanded(self, asked: Mapping[str, Any]) -> None:
        key, verb = str(asked["key"]), str(asked["verb"])
        if verb == "leave":
            return self._close(key, "the page disconnected")
        visitor = self._visitor(key)
        link = visitor.link
        verbs: Mapping[str, Callable[[], None]] = {
            "take": link.take,
            "takeover": lambda: link.take(takeover=True),
            "reset": link.reset,
            "start": lambda: self._started(visitor, str(asked["mode"]), str(asked["instruction"])),
            "pause": link.pause,
            "rearrange": lambda: self._rearranged(visitor, str(asked["start"])),
            "succeeded": lambda: self._judged(visitor, success=True),
            "missed": lambda: self._judged(visitor, success=False),
        }
        if verb not in verbs:
            raise InvalidInput(f"there is no command {verb[:20]!r}; there are leave, {', '.join(verbs)}")
        return verbs[verb]()

    def _started(self, visitor: _Visitor, mode: str, instruction: str) -> None:
        view, facts = visitor.link.watch(), visitor.link.facts
        visitor.link.start(mode, instruction)
        task = secrets.token_hex(8)
        visitor.task = RobotTrial(facts.name, facts.kind, view.policy, view.variant, view.package, False, (), mode, task)
        visitor.judged = False

    def _rearranged(self, visitor: _Visitor, start: str) -> None:
        visitor.link.rearrange(start)
        visitor.task = None  # what it came to is not to be seen any more

    def _judged(self, visitor: _Visitor, success: bool) -> None:
        """After it has ended, by whoever started it; until the next one begins it may be corrected."""
        if visitor.task is None or visitor.link.watch().state == "running":
            raise InvalidInput("there is no task to judge: it is judged when it has ended, on the page that started it")
        visitor.link.episodes.judge_last(success)
        trial = replace(visitor.task, success=success)
        self._bench.keep_trial(trial)
        visitor.task, visitor.judged = trial, True

    def _close(self, key: str, why: str) -> None:
        visitor = self._visitors.pop(key, None)
        if visitor is not None:
            visitor.link.close(why)

    def _visitor(self, key: str) -> _Visitor:
        if key not in self._visitors:
            raise ConnectionClosed("this page is not connected to a board any more; connect again")
        return self._visitors[key]


def hosted() -> bool:
    """Whether this runs as a Space on the Hub."""
    return bool(os.environ.get("SPACE_ID"))


def _allowed() -> str:
    """A new key. Raises `InvalidInput` in a Space."""
    if hosted():
        raise InvalidInput(robot_words.HOSTED)
    return secrets.token_urlsafe(16)


def _name(key: str) -> str:
    """For people; it tells nothing of the key."""
    return f"Visitor {hash(key) % 900 + 100}"


def _ticks(new: list[RobotTick]) -> dict[str, Any]:
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
