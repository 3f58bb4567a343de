"""What happens in the Robot tab when the page asks. Connecting and loading are streams of messages; news, Stop and the short commands are
asked directly, so that no queue of Gradio's is in their way.

A visitor's link is named by a random key that only their page knows. Safety does not rest here: it is the board's, and the link's own.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from vla_demo.core.errors import ConnectionClosed, InvalidInput
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.ui.robot import messages as robot_messages
from vla_demo.ui.robot import words as robot_words
from vla_demo.ui.robot.contract import Robot, Robots
from vla_demo.ui.robot.episodes import EpisodesPanel
from vla_demo.ui.shared import messages, words
from vla_demo.ui.shared.contract import Library
from vla_demo.ui.shared.messages import Message, Strip, message
from vla_demo.ui.shared.opening import open_package
from vla_demo.ui.shared.pictures import jpegs
from vla_demo.ui.shared.session import VisitorWork
from vla_demo.ui.shared.tab import RUNS_AT_ONCE, Event, ServerFunction
from vla_demo.ui.shared.toasts import answer_or_problem, reports_failures
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.trials import RobotTrial

__all__ = ["RobotTab"]


@dataclass(slots=True)
class _Visitor:
    link: Robot
    name: str  # as others read it
    session: str
    spec: PolicySpec | None = None  # of the policy that was loaded from this page
    task: RobotTrial | None = None  # the last one started from this page, as it was judged if it was
    judged: bool = False


class RobotTab:
    """The handlers of the Robot tab."""

    name = "robot"
    styles = ("controls", "strip", "robot", "robot_episodes")

    def __init__(self, policies: Library, robots: Robots) -> None:
        self._policies, self._robots = policies, robots
        self._visitors: dict[str, _Visitor] = {}  # by key
        self.episodes = EpisodesPanel(self.link)

    def events(self) -> Sequence[Event]:
        return (
            Event("open_simulated", self.open_simulated, RUNS_AT_ONCE),
            Event("open_board", self.open_board, RUNS_AT_ONCE),
            Event("choose_robot", self.choose_robot, RUNS_AT_ONCE),
            Event("load_robot", self.load_robot, RUNS_AT_ONCE),
            Event("download_episodes", self.episodes.download_episodes, RUNS_AT_ONCE),
        )

    def server_functions(self) -> Sequence[ServerFunction]:
        return (self.watch, self.stop, self.command, self.checks, self.rates, self.episodes.episodes)

    @reports_failures("robot", toast=False)
    def visit(self, request: gr.Request) -> Iterator[Message]:
        yield robot_messages.setting(self._policies.bundled(), robot_words.HOSTED if hosted() else "")

    @reports_failures("robot", toast=False)
    def open_simulated(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        key = _allowed()
        for step in self._robots.simulated_board.connect(_name(key)):
            if isinstance(step, Preparing):
                yield messages.progress(step, str(asked.run))
            else:
                yield self._connect(key, step, request, str(asked.run))

    @reports_failures("robot", toast=False)
    def open_board(self, asked: gr.EventData, request: gr.Request) -> Iterator[Message]:
        key = _allowed()
        yield messages.progress(Preparing(f"Shaking hands with {asked.address}"), str(asked.run))
        link = self._robots.connect(str(asked.address).strip(), str(asked.token).strip(), _name(key), str(asked.certificate))
        yield self._connect(key, link, request, str(asked.run))

    @reports_failures("choice")
    def choose_robot(self, asked: gr.EventData) -> Iterator[Message]:
        """The stages of a policy, its modes, and whether it reads a sentence."""
        work, source = str(asked.run), str(asked.source)
        spec = self._policies.sketch(source)
        if spec is None:
            spec = (yield from open_package(self._policies, source, VisitorWork(work))).spec
        strip = Strip(spec, Variant.reference(spec), self._policies.fps(), self._policies.recipes(spec.family))
        reads = any(stage.role == "llm" for stage in spec.stages)
        yield message("choice", run=work, policy=messages.sketch(work, strip)["policy"], modes=words.modes(spec), reads=reads)

    @reports_failures("policy")
    def load_robot(self, asked: gr.EventData) -> Iterator[Message]:
        visitor, work, source = self._visitor(str(asked.key)), str(asked.run), str(asked.source)
        package = yield from open_package(self._policies, source, VisitorWork(work))
        variant = Variant.parse(str(asked.variant), package.spec)
        for step in visitor.link.load(package, variant):
            yield messages.progress(step, work)
        visitor.spec = package.spec
        yield message("loaded", run=work)

    def watch(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The newest news and pictures; also tells that the page is there."""
        return answer_or_problem(lambda: self._news(self._visitor(str(asked["key"])), int(asked["tick"]), float(asked["seen"])))

    def stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return answer_or_problem(lambda: self._visitor(str(asked["key"])).link.stop())

    def command(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`verb`: take, takeover, reset, start, pause, rearrange, succeeded, missed, leave."""
        return answer_or_problem(lambda: self._command(asked))

    def checks(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The facts to look at before the arm is made ready."""
        return answer_or_problem(lambda: self._check(self._visitor(str(asked["key"]))))

    def rates(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """The table of judged tasks."""
        bundled = self._policies.bundled()
        return answer_or_problem(
            lambda: {"rows": [robot_words.rate(rate, bundled) for rate in self._robots.rates()], "how": robot_words.JUDGED}
        )

    def link(self, key: str) -> Robot:
        """Of a visitor. Raises `BoardError` for a key that is none."""
        return self._visitor(key).link

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        for key, visitor in list(self._visitors.items()):
            if visitor.session == request.session_hash:
                self._close(key, "the page was closed")

    def _connect(self, key: str, link: Robot, request: gr.Request, work: str) -> Message:
        """Whoever comes to a board that nobody commands gets the lease."""
        self._visitors[key] = _Visitor(link, _name(key), str(request.session_hash))
        if not link.watch().holder:
            link.take()
        return message("connected", run=work, key=key, **robot_words.robot(link.facts))

    def _news(self, visitor: _Visitor, after: int, seen: float) -> dict[str, Any]:
        view, pictures = visitor.link.watch(), visitor.link.look(seen)
        if visitor.task is not None and view.state == "running":  # another's task: nobody asks any more how the one before ended
            visitor.task = replace(visitor.task, inference_s=view.inference) if view.mine else None
        return {
            **robot_messages.news(view, visitor.link.facts, after),
            "reason": view.reason.replace(visitor.name, "you"),
            "judge": robot_words.question(view, visitor.task, visitor.judged),
            "loaded": bool(view.package) and not view.loading and visitor.spec is not None,
            "pictures": jpegs(pictures.pictures) if pictures is not None else {},
            "seen": seen if pictures is None else pictures.captured_at,
        }

    def _check(self, visitor: _Visitor) -> dict[str, Any]:
        visitor.link.look(0.0)
        found = robot_words.checks(visitor.link.watch(), visitor.link.facts, visitor.spec)
        return {"facts": found, "ok": all(fact["ok"] for fact in found)}

    def _command(self, asked: Mapping[str, Any]) -> None:
        key, verb = str(asked["key"]), str(asked["verb"])
        if verb == "leave":
            return self._close(key, "the page disconnected")
        visitor = self._visitor(key)
        link = visitor.link
        verbs: Mapping[str, Callable[[], None]] = {
            "take": link.take,
            "takeover": lambda: link.take(takeover=True),
            "reset": link.reset,
            "start": lambda: self._start(visitor, str(asked["mode"]), str(asked["instruction"])),
            "pause": link.pause,
            "rearrange": lambda: self._rearrange(visitor, str(asked["start"])),
            "succeeded": lambda: self._judge(visitor, success=True),
            "missed": lambda: self._judge(visitor, success=False),
        }
        if verb not in verbs:
            raise InvalidInput(f"there is no command {verb[:20]!r}; there are leave, {', '.join(verbs)}")
        return verbs[verb]()

    def _start(self, visitor: _Visitor, mode: str, instruction: str) -> None:
        view, facts = visitor.link.watch(), visitor.link.facts
        visitor.link.start(mode, instruction)
        task = secrets.token_hex(8)
        visitor.task = RobotTrial(facts.name, facts.kind, view.policy, view.variant, view.package, False, (), mode, task)
        visitor.judged = False

    def _rearrange(self, visitor: _Visitor, start: str) -> None:
        visitor.link.rearrange(start)
        visitor.task = None  # what it came to is not to be seen any more

    def _judge(self, visitor: _Visitor, success: bool) -> None:
        """After it has ended, by whoever started it; until the next one begins it may be corrected."""
        if visitor.task is None or visitor.link.watch().state == "running":
            raise InvalidInput("there is no task to judge: it is judged when it has ended, on the page that started it")
        visitor.link.episodes.judge_last(success)
        trial = replace(visitor.task, success=success)
        self._robots.keep_trial(trial)
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
    return f"Visitor {hash(key) % 90_000 + 10_000}"
