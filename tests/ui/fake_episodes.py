"""The recordings of the board without a process: what is recorded is said, and a download writes a small dataset of real files."""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vla_demo.board.view import BoardEpisode, EpisodesView
from vla_demo.core.errors import BoardError, InvalidInput
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.episodes import DownloadedDataset

WHOLE = BoardEpisode(
    id="a" * 16,
    recorded_at=1_790_000_000.0,
    frames=369,
    seconds=12.3,
    ended="the task was ended",
    old_pictures=0,
    cut_frames=0,
    policy="act",
    variant="vision=fp32,expert=fp32",
    success=None,
    size_bytes=1_500_000,
)


@dataclass
class FakeRecordings:
    """What the board has. `refuses`: why it cannot record; `folder`: where downloads go."""

    folder: Path = Path()
    on: bool = False
    refuses: str = ""
    problem: str = ""
    kept: list[BoardEpisode] = field(default_factory=list)

    def ended(self, **more: object) -> None:
        """A task has ended."""
        if self.on:
            self.kept.append(replace(WHOLE, id=f"{len(self.kept):016x}", **more))


@dataclass
class FakeEpisodes:
    """One visitor's view of them; `mine` says whether the lease is theirs."""

    recordings: FakeRecordings
    mine: bool

    def view(self) -> EpisodesView:
        found = self.recordings
        last = found.kept[-1].id if found.kept else ""
        return EpisodesView(found.on, "/var/lib/vla-board/episodes", 8 * 10**9, 10**11, found.problem, False, last, tuple(found.kept))

    def record(self, on: bool) -> None:
        self._check()
        if self.recordings.refuses:
            raise BoardError(self.recordings.refuses)
        self.recordings.on = on

    def judge_last(self, success: bool) -> None:
        if self.recordings.kept:
            self.recordings.kept[-1] = replace(self.recordings.kept[-1], success=success)

    def remove(self, ids: Sequence[str]) -> None:
        self._check()
        self.recordings.kept = [one for one in self.recordings.kept if one.id not in ids]

    def download(self, ids: Sequence[str]) -> Iterator[Preparing | DownloadedDataset]:
        self._check()
        chosen = [one for one in self.recordings.kept if one.id in ids]
        if not chosen:
            raise InvalidInput("choose at least one episode")
        yield Preparing("Fetching episode 1", 0.5)
        archive = self.recordings.folder / "bench-twin.zip"
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("bench-twin/meta/info.json", "{}")
        folder = self.recordings.folder / "bench-twin"
        yield DownloadedDataset(folder, archive, len(chosen), sum(one.frames for one in chosen), 1_500_000 * len(chosen))

    def _check(self) -> None:
        if not self.mine:
            raise BoardError("commands need the lease; acquire it first")
