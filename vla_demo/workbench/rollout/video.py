"""Films rollouts: as a rollout is repeatable, a film of one that was tried is made by trying its start again.

What it shows: the desk from the left at 640x480, the other two cameras beside it, and below them the whole rollout as a bar that fills
as time goes on, green where the loop had an action and red where it starved. Ten pictures a simulated second, of the two smaller ones five.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.episodes.film import write_film
from vla_demo.evaluation.closed_loop import TriedStart
from vla_demo.workbench.rollout.scenes import MAIN_CAMERA, CameraCrew
from vla_demo.workbench.rollout.worker import RolloutJob, begin_rollout

if TYPE_CHECKING:
    from vla_demo.twin.starts import Start
    from vla_demo.twin.world import TeaBagTwin

__all__ = ["FilmTask", "film", "film_apart", "film_name", "filmable", "prepare_folder"]

FILM_FPS = 10
BESIDE = ("top", "gripper")
SIZE, SMALL = (480, 640), (240, 320)  # (height, width)
WIDTH, BAR = SIZE[1] + SMALL[1], 16  # pixels
ACTING, STARVED, AHEAD, NOW = (46, 139, 87), (200, 40, 40), (70, 70, 70), (255, 255, 255)  # RGB

Picture = NDArray[np.uint8]
Progress = Callable[[str, float], None]


def filmable(tried: Sequence[TriedStart], which: str) -> list[TriedStart]:
    """`failures` or `all`. Raises `InvalidInput`, listing these."""
    if which not in ("failures", "all"):
        raise InvalidInput(f"unknown rollouts to film {which!r}; valid: failures, all")
    return [row for row in tried if which == "all" or not row.rollout.attempts.success]


def film_name(row: TriedStart) -> str:
    """Such as `start-106030_cluster-06_failed.mp4`."""
    outcome = "succeeded" if row.rollout.attempts.success else "failed"
    return f"start-{row.number}_cluster-{row.cluster:02d}_{outcome}.mp4"


def prepare_folder(folder: Path) -> None:
    """Make the folder for films. Raises `InvalidInput` when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidInput(f"videos cannot be written to {folder}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class FilmTask:
    """One film to be made, fit to be sent to another process."""

    job: RolloutJob
    start: "Start"
    ticks: int  # of the rollout, as it was tried
    file: Path

    def as_text(self) -> dict[str, str | None]:
        """For `film_apart`."""
        start = asdict(self.start)
        return {"job": json.dumps(asdict(self.job)), "start": json.dumps(start), "ticks": str(self.ticks), "file": str(self.file)}


def film(task: FilmTask, progress: Progress = lambda text, fraction: None) -> Path:
    """Try the start again and film it. Raises `Stopped` and what trying and `write_film` raise."""
    write_film(task.file, _pictures(task, progress), FILM_FPS)
    return task.file


def film_apart(job: str, start: str, ticks: str, file: str, progress: Progress) -> None:
    """`film` for `child.in_child`, which hands over text only: a task `as_text`."""
    from vla_demo.twin.starts import Start

    # JSON has no tuples; what a start was drawn from is one.
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(start).items()}
    film(FilmTask(RolloutJob(**json.loads(job)), Start(**values), int(ticks), Path(file)), progress)


def _pictures(task: FilmTask, progress: Progress) -> Iterator[Picture]:
    begun, every = begin_rollout(task.job, task.start), max(1, round(task.job.fps / FILM_FPS))
    scene, starved = _Scene(begun.twin), list[bool]()
    for each in begun.ticks:
        starved.append(each.tick.action is None)
        if len(starved) % every == 0 or each.judgement.success:
            progress("Filming", len(starved) / task.ticks)
            yield np.concatenate([scene.picture(), _bar(starved, task.ticks)])


class _Scene:
    """The three cameras in one picture: the main one drawn each time, the others by turns, and none while nothing moves."""

    def __init__(self, twin: "TeaBagTwin") -> None:
        self._crew = CameraCrew(twin, {MAIN_CAMERA: SIZE} | dict.fromkeys(BESIDE, SMALL))
        self._shown = {camera: twin.picture(camera, SMALL) for camera in BESIDE}

    def picture(self) -> Picture:
        self._shown |= self._crew.shoot()
        beside = np.concatenate([self._shown[camera] for camera in BESIDE])
        return np.concatenate([self._shown[MAIN_CAMERA], beside], axis=1)


def _bar(starved: Sequence[bool], ticks: int) -> Picture:
    """(BAR, W, 3); a column in which anything starved is red, however short it was."""
    width = WIDTH
    edges = np.linspace(0, ticks, width + 1)
    before = np.concatenate([[0], np.cumsum([*starved, *[False] * (ticks - len(starved))])])  # starved ticks before each tick
    red = before[np.ceil(edges[1:]).astype(int)] > before[np.floor(edges[:-1]).astype(int)]
    done = round(len(starved) / ticks * width)
    line = np.full((width, 3), AHEAD, np.uint8)
    line[:done] = np.where(red[:done, None], STARVED, ACTING)
    line[max(0, done - 2) : done] = NOW
    return np.broadcast_to(line, (BAR, width, 3)).copy()
