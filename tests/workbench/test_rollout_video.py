"""Films of rollouts: of those that failed, with the whole timeline below the pictures, and the filming changes nothing."""

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.tiny_packages import tiny_smolvla_package
from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency
from vla_demo.workbench.child import in_child
from vla_demo.workbench.rollout.batch import Batch, RolloutStore
from vla_demo.workbench.rollout.run import RolloutRequest, film_rollouts, roll_out
from vla_demo.workbench.rollout.video import (
    ACTING,
    BAR,
    SIZE,
    STARVED,
    WIDTH,
    FilmTask,
    film,
    film_apart,
    film_name,
    filmable,
    prepare_folder,
)
from vla_demo.workbench.rollout.worker import try_start


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("tiny") / "package")


def request(package: PolicyPackage) -> RolloutRequest:
    return RolloutRequest(Variant.reference(package.spec), given_latency("400"), mode="sync", starts="1-fresh", patience=1.5)


def shown(file: Path) -> list[np.ndarray]:
    with av.open(str(file)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_the_failures_of_a_batch_become_films_named_by_start_cluster_and_outcome(package: PolicyPackage, tmp_path: Path) -> None:
    list(roll_out(package, request(package)))
    batch = Batch.of(package, request(package))
    files = [step for step in film_rollouts(package, request(package), "failures", tmp_path) if isinstance(step, Path)]
    (row,) = RolloutStore.of(batch).read(batch).values()
    assert [file.name for file in files] == [f"start-{row.number}_cluster-{row.cluster:02d}_failed.mp4"]
    pictures = shown(files[0])
    assert len(pictures) == 15 and all(picture.shape == (SIZE[0] + BAR, WIDTH, 3) for picture in pictures)


def test_the_bar_below_tells_when_the_loop_starved(package: PolicyPackage, tmp_path: Path) -> None:
    """Synchronous with 0.4 s and eight actions a chunk: 12 ticks starved, 8 not, from the first tick on."""
    batch = Batch.of(package, request(package))
    film(FilmTask(batch.job, batch.starts[0], 45, tmp_path / "film.mp4"))
    pictures = shown(tmp_path / "film.mp4")
    line = pictures[-1][SIZE[0] + BAR // 2].astype(int)
    nearest = [min((ACTING, STARVED), key=lambda color, pixel=pixel: np.abs(pixel - color).sum()) for pixel in line[5:-10:10]]
    ticks = [int((5 + 10 * i) * 45 / WIDTH) for i in range(len(nearest))]
    wanted = [STARVED if tick % 20 < 12 else ACTING for tick in ticks]
    assert sum(a == b for a, b in zip(nearest, wanted, strict=True)) >= len(wanted) - 6  # columns at an edge are blurred
    assert np.abs(pictures[0][SIZE[0] + BAR // 2, -1].astype(int) - STARVED).sum() > 60  # what is to come is not told yet


def test_filming_changes_nothing_of_the_rollout(package: PolicyPackage, tmp_path: Path) -> None:
    batch = Batch.of(package, request(package))
    *_, report = roll_out(package, request(package))
    film(FilmTask(batch.job, batch.starts[0], 45, tmp_path / "film.mp4"))
    (RolloutStore.of(batch).folder / f"{batch.starts[0].number}.json").unlink()
    *_, again = roll_out(package, request(package))
    assert again == report


def test_a_film_is_made_in_a_process_of_its_own_with_progress(package: PolicyPackage, tmp_path: Path) -> None:
    batch = Batch.of(package, request(package))
    task = FilmTask(batch.job, batch.starts[0], 45, tmp_path / "film.mp4")
    said = list(in_child(film_apart, task.as_text()))
    assert said[-1].fraction == 1.0 and len(said) == 15 and len(shown(task.file)) == 15
    assert json.loads(str(task.as_text()["job"]))["mode"] == "sync"


def test_successes_are_filmed_only_when_all_are_asked_for(package: PolicyPackage) -> None:
    batch = Batch.of(package, request(package))
    failed = try_start(batch.job, batch.starts[0])
    won = replace(failed, rollout=replace(failed.rollout, attempts=replace(failed.rollout.attempts, success=True)))
    assert filmable([failed, won], "failures") == [failed] and filmable([failed, won], "all") == [failed, won]
    assert film_name(won).endswith("_succeeded.mp4")
    with pytest.raises(InvalidInput, match="failures, all"):
        filmable([failed], "some")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="videos cannot be written to"):
        prepare_folder(tmp_path / "file" / "videos")
