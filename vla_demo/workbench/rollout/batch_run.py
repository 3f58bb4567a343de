"""The verbs of a batch that somebody watches: roll out the protocol, film a start. Nothing heavy runs in the watcher's process."""

import os
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import cache_folder
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.workbench.child import in_child
from vla_demo.workbench.machine import usable_cores
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout import video
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest
from vla_demo.workbench.rollout.run import roll_out
from vla_demo.workbench.rollout.video import FilmTask, film_apart

__all__ = ["BatchRun", "film_folder", "film_of"]

HOSTED_JOBS = 2  # processes, where many visitors share a machine
MOST_FILMS = 200  # kept, about 1 MB each; an older one is made again when it is asked for
_HOSTED = "SPACE_ID"  # set on Hugging Face Spaces
_WAIT = 0.2  # s between two looks at whether somebody said stop


class BatchRun:
    """Iterate `steps` once; `stop` at any time, from any thread. `places` lets so many batches go on at once in this app."""

    def __init__(self, package: PolicyPackage, request: RolloutRequest, places: threading.Semaphore) -> None:
        self.request, self._package, self._places = request, package, places
        self._stopping = threading.Event()

    def steps(self) -> Iterator[Preparing | RolloutReport]:
        """Progress, `RolloutStep`s among it, then the report. Raises `Stopped`, and as `roll_out` and `prepare_variant` do."""
        yield from prepare_variant(self._package, self.request.variant)
        while not self._places.acquire(timeout=_WAIT):
            yield Preparing("Waiting for another batch to end: this machine tries one at a time")
            if self._stopping.is_set():
                return
        try:
            yield from roll_out(self._package, self.request, _jobs(), self._stopping)
        finally:
            self._places.release()

    def stop(self) -> None:
        """The rollouts end at their next tick; what was tried is kept."""
        self._stopping.set()


def film_folder() -> Path:
    """Where films for the page are kept."""
    return cache_folder() / "films"


def film_of(package: PolicyPackage, request: RolloutRequest, number: int, ticks: int) -> Generator[Preparing | Path]:
    """Progress, then the film of one start whose rollout took `ticks`, made in a process of its own or kept from before.

    Closing the iterator ends the process. Raises `InvalidInput` for a start that is not in the batch.
    """
    batch = Batch.of(package, request)
    start = batch.start(number)
    yield from prepare_variant(package, request.variant)
    file = film_folder() / f"{batch.fingerprint(video.__name__).digest}-{number}.mp4"
    if not file.exists():
        yield Preparing("Filming", 0.0)
        yield from in_child(film_apart, FilmTask(batch.job, start, ticks, file).as_text())
        _forget_oldest()
    yield file


def _forget_oldest() -> None:
    films = sorted(film_folder().glob("*.mp4"), key=lambda film: film.stat().st_mtime)
    for old in films[:-MOST_FILMS]:
        old.unlink(missing_ok=True)


def _jobs() -> int:
    return min(usable_cores(), HOSTED_JOBS) if os.environ.get(_HOSTED) else usable_cores()
