"""A board without a process: states, a lease and a stop as the real one has them, an arm that swings while its task runs."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tests.fakes import JOINTS, act_spec
from tests.ui.fake_episodes import FakeEpisodes, FakeRecordings
from tests.ui.fake_loop import CAMERAS, shot
from tests.ui.fake_rollouts import rates_of
from vla_demo.board.view import JointFacts, RobotFacts, RobotPictures, RobotTick, RobotView
from vla_demo.core.errors import BoardError, ConnectionClosed
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.trials import RobotRate, RobotTrial

TOKEN = "a-token-of-the-fake-board"
FACTS = RobotFacts(
    "127.0.0.1:7870", "twin", "bench twin", "", "0.1.0", 30.0, tuple(JointFacts(n, "deg", -100, 100, 200) for n in JOINTS), CAMERAS
)


@dataclass
class FakeBoard:
    """What all visitors share. `stops` are the names of those who pressed Stop."""

    state: str = "stopped"
    reason: str = "the board has just started"
    dead: str = ""  # what a link says of a board that does not answer
    holder: str = ""
    package: str = ""
    variant: str = ""
    starts: list[str] = field(default_factory=list)  # that were set
    how: tuple[str, str] = ("", "")  # mode and instruction of the task
    asked: int = 0
    ticks: list[RobotTick] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)  # cleared: a load stays half done
    recordings: FakeRecordings = field(default_factory=FakeRecordings)
    open: set[str] = field(default_factory=set)  # names of the links that are open

    def __post_init__(self) -> None:
        self.gate.set()

    def stop(self, who: str) -> None:
        if self.state == "running":
            self.recordings.ended(ended=f"{who} pressed Stop")
        self.state, self.reason = "stopped", f"{who} pressed Stop"
        self.stops.append(who)

    def go_on(self) -> None:
        """Three control periods a question, while the task runs."""
        self.asked += 1
        for _ in range(3 if self.state == "running" else 0):
            n = len(self.ticks) + 1
            pose = tuple(float(v) for v in 30 * np.sin(n / 15 + np.arange(6)))
            self.ticks.append(RobotTick(n, n / 30, 0.002, pose, tuple(v - 2 for v in pose), 50 - n % 25, n < 4, False))


@dataclass
class FakeRobot:
    board: FakeBoard
    name: str
    facts: RobotFacts = FACTS
    why: str = ""

    def __post_init__(self) -> None:
        self.board.open.add(self.name)

    @property
    def episodes(self) -> FakeEpisodes:
        self._check()
        return FakeEpisodes(self.board.recordings, self.board.holder == self.name)

    def watch(self) -> RobotView:
        self._check()
        board = self.board
        board.go_on()
        return RobotView(
            now=float(board.asked),
            state=board.state,
            reason=board.reason,
            moving=board.state == "running",
            holder=board.holder,
            mine=board.holder == self.name,
            lost=None,
            package=board.package,
            policy=act_spec().checkpoint if board.package else "",
            variant=board.variant,
            loading="",
            chunk_size=50,
            ticks=tuple(board.ticks[-64:]),
            measured=(),
            inference=(0.2, 0.3) if board.ticks else (),
            stage_ms={"vision": 80.0, "expert": 120.0} if board.ticks else {},
            counts={"starved_ticks": sum(tick.starved for tick in board.ticks)},
            temperature=48.0,
            memory_bytes=210_000_000,
            round_trip=0.0012,
            picture_age=0.1,
        )

    def look(self, after: float) -> RobotPictures | None:
        self._check()
        return None if self.board.asked <= after else RobotPictures(float(self.board.asked), shot(self.board.asked, CAMERAS))

    def stop(self) -> None:
        self._check()
        self.board.stop(self.name)

    def take(self, takeover: bool = False) -> None:
        if self.board.holder and not takeover:
            raise BoardError(f"{self.board.holder} commands this board; watch, or take over")
        self.board.holder, self.board.state, self.board.reason = self.name, "stopped", f"{self.name} took the lease"

    def load(self, package: PolicyPackage, variant: Variant) -> Iterator[Preparing]:
        self._mine()
        yield Preparing("Sending 1 of 2 MB", 0.5)
        self.board.gate.wait(30)
        self.board.package, self.board.variant = "d7a8fafd" * 8, str(variant)

    def reset(self) -> None:
        self._mine()
        self.board.state, self.board.reason = "ready", "reset"

    def start(self, mode: str, instruction: str) -> None:
        self._mine()
        self.board.how = (mode, instruction)
        if self.board.state != "ready":
            raise BoardError(f"the arm is {self.board.state}; reset it first")
        self.board.state, self.board.ticks = "running", []

    def pause(self) -> None:
        self._mine()
        self.board.recordings.ended()
        self.board.state, self.board.reason = "ready", "the task was ended"

    def rearrange(self, start: str) -> None:
        self._mine()
        self.board.starts.append(start)

    def close(self, why: str = "this connection was closed") -> None:
        self.why = why
        self.board.open.discard(self.name)
        if self.board.holder == self.name:
            self.board.stop(self.name)
            self.board.holder = ""

    def _mine(self) -> None:
        self._check()
        if self.board.holder != self.name:
            raise BoardError("commands need the lease; acquire it first")

    def _check(self) -> None:
        if self.why:
            raise ConnectionClosed(f"{self.why}; connect again")
        if self.board.dead:
            raise BoardError(self.board.dead)


@dataclass
class FakeSimulatedBoard:
    """`folder`: where downloads go."""

    folder: Path
    board: FakeBoard = field(default_factory=FakeBoard)

    def connect(self, holder: str) -> Iterator[Preparing | FakeRobot]:
        yield Preparing("Starting the simulated board")
        self.board.recordings.folder = self.folder
        yield FakeRobot(self.board, holder)


@dataclass
class FakeRobots:
    """One board, in two ways: as the simulated one, and by its address and token."""

    simulated_board: FakeSimulatedBoard
    trials: list[RobotTrial] = field(default_factory=list)

    def connect(self, address: str, token: str, holder: str, certificate: str = "") -> FakeRobot:
        if address != FACTS.address:
            raise BoardError("the board cannot be reached: connection refused")
        if token != TOKEN:
            raise BoardError("the board wants its token, and this is not it")
        return FakeRobot(self.simulated_board.board, holder, replace(FACTS, kind="so101"))

    def keep_trial(self, trial: RobotTrial) -> None:
        self.trials.append(trial)

    def rates(self) -> Sequence[RobotRate]:
        return rates_of(self.trials)
