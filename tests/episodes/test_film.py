"""A film is what a browser plays, and it is there whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.episodes.faststart import index_is_first
from vla_demo.episodes.film import write_film


def pictures(count: int) -> Iterator[NDArray[np.uint8]]:
    return (np.full((48, 64, 3), 10 * i, np.uint8) for i in range(count))


def test_it_plays_in_a_browser(tmp_path: Path) -> None:
    write_film(tmp_path / "new" / "a.mp4", pictures(20), fps=10)
    with av.open(str(tmp_path / "new" / "a.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 10)
        shades = [frame.to_ndarray(format="rgb24").mean() for frame in film.decode(stream)]
    assert len(shades) == 20 and np.allclose(shades, 10 * np.arange(20), atol=4)
    assert index_is_first(tmp_path / "new" / "a.mp4")


def test_a_film_that_breaks_off_leaves_nothing_and_the_old_one_alone(tmp_path: Path) -> None:
    def torn() -> Iterator[NDArray[np.uint8]]:
        yield from pictures(3)
        raise KeyboardInterrupt

    (tmp_path / "a.mp4").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_film(tmp_path / "a.mp4", torn(), fps=10)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"] and (tmp_path / "a.mp4").read_text() == "old"


def test_nothing_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="at least one picture"):
        write_film(tmp_path / "a.mp4", pictures(0), fps=10)
    assert list(tmp_path.iterdir()) == []
