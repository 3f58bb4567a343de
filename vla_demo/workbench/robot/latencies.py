"""How long inferences took on boards: one line of JSON a task in the cache folder, kept when the task ends, judged or not."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vla_demo.board.view import RobotFacts, RobotView
from vla_demo.core.errors import InvalidInput
from vla_demo.core.formats import count, milliseconds
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import LatencySource
from vla_demo.workbench.journal import Journal

__all__ = ["BoardLatency", "BoardTimes", "board_latencies", "board_latency"]


@dataclass(frozen=True, slots=True)
class BoardLatency:
    """From observation to chunk, during one task."""

    board: str  # the robot's name
    kind: str  # "twin", "so101"
    checkpoint: str  # its revision, or its name where it has none
    variant: str
    seconds: float  # median
    inferences: int  # it is of
    stage_ms: Mapping[str, float]  # stage -> median, as the runtime timed it

    def source(self) -> LatencySource:
        stages = ", ".join(f"{role} {milliseconds(ms)}" for role, ms in self.stage_ms.items())
        where = f"board {self.board}" + (" (simulated, on the machine that ran it)" if self.kind == "twin" else "")
        what = f"median of {count(self.inferences, 'inference')} of {self.variant} during a task, from asking to the plan"
        about = f"measured on {where}: {what}; of it {stages}, the rest is pictures and waiting"
        return LatencySource(self.seconds, "board", about)


FEWEST = 5  # inferences; a task that was stopped at once says little
_JOURNAL = Journal("robot/latencies.jsonl", BoardLatency, "the board's times")


class BoardTimes:
    """Listens to one link's news, and keeps the times of each task of a policy that was loaded over it."""

    def __init__(self, facts: RobotFacts) -> None:
        self._facts = facts
        self._loaded: tuple[str, str] | None = None  # checkpoint, variant
        self._heard: RobotView | None = None  # the newest of the task that runs

    def loaded(self, spec: PolicySpec, variant: Variant) -> None:
        self._loaded = (_checkpoint(spec), str(variant))

    def follow(self, view: RobotView) -> None:
        """Raises `VlaDemoError` when the file cannot be written."""
        if view.state == "running" and view.inference and self._loaded is not None and view.variant == self._loaded[1]:
            self._heard = view
        elif view.state != "running":
            self.ended()

    def ended(self) -> None:
        """Of a task nothing more will be heard."""
        heard, self._heard = self._heard, None
        if heard is not None and self._loaded is not None:
            checkpoint, variant = self._loaded
            median = statistics.median(heard.inference)
            _JOURNAL.keep(
                BoardLatency(self._facts.name, self._facts.kind, checkpoint, variant, median, len(heard.inference), heard.stage_ms)
            )


def board_latencies(spec: PolicySpec) -> Sequence[BoardLatency]:
    """The newest of this checkpoint on each board in each variant, of `FEWEST` inferences or more where there is one.

    Raises `VlaDemoError` for a file that is damaged.
    """
    found = dict[tuple[str, str], BoardLatency]()
    for row in _JOURNAL.rows():
        before = found.get((row.board, row.variant))
        if row.checkpoint == _checkpoint(spec) and (before is None or row.inferences >= min(FEWEST, before.inferences)):
            found[row.board, row.variant] = row
    return tuple(found.values())


def board_latency(board: str, spec: PolicySpec, variant: Variant) -> LatencySource:
    """Raises `InvalidInput` for what was not measured there."""
    known = board_latencies(spec)
    for row in known:
        if (row.board, row.variant) == (board, str(variant)):
            return row.source()
    there = "; ".join(f"{row.board} as {row.variant}" for row in known) or "none: run a task on a board in the tab Robot first"
    raise InvalidInput(f"nobody has measured {variant} on a board named {board!r}; measured of this checkpoint: {there}")


def _checkpoint(spec: PolicySpec) -> str:
    return spec.revision or spec.checkpoint
