"""The shelf of a board's episodes: what has just ended is waited for, what will not come is not."""

import shutil
import threading
from pathlib import Path

import pytest

from vla_demo.board.packages import NotThere
from vla_demo.board.recordings import RecordingShelf
from vla_demo.core.recorded import RecordedEpisode, read_recorded, write_recorded

NAME = "0123456789abcdef"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """An episode, beside the shelf's folder."""
    (tmp_path / "shelf").mkdir()
    write_recorded(
        tmp_path / "written", [RecordedEpisode(NAME, 0.0, 10, 30.0, "put it there", "paused", 0, 0, "twin", "twin", "act", "", "")]
    )
    return tmp_path / "written"


def test_an_episode_whose_folder_appears_late_is_judged_all_the_same(written: Path) -> None:
    shelf = RecordingShelf(written.parent / "shelf")
    late = threading.Timer(0.2, lambda: shutil.move(written, shelf.folder / NAME))
    late.start()
    shelf.judge(NAME, True, lambda: True)
    assert read_recorded(shelf.folder / NAME)[0].success is True


def test_an_episode_that_is_not_coming_is_refused_at_once(written: Path) -> None:
    with pytest.raises(NotThere, match="this board has no episode"):
        RecordingShelf(written.parent / "shelf").judge(NAME, True)
