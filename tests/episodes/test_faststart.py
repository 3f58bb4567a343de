"""The index moves to the front and nothing else changes."""

from pathlib import Path

import av
import numpy as np

from vla_demo.episodes.faststart import index_is_first, move_index_to_front


def written(path: Path) -> list[np.ndarray]:
    """A short H.264 file as encoders leave it: index last. Returns its decoded pictures."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", 30, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return decoded(path)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_file_with_its_index_last_is_rewritten_picture_for_picture(tmp_path: Path) -> None:
    before = written(tmp_path / "video.mp4")
    assert not index_is_first(tmp_path / "video.mp4")
    move_index_to_front(tmp_path / "video.mp4")
    assert index_is_first(tmp_path / "video.mp4") and [p.name for p in tmp_path.iterdir()] == ["video.mp4"]
    after = decoded(tmp_path / "video.mp4")
    assert len(after) == len(before) == 12
    np.testing.assert_array_equal(after, before)


def test_a_file_with_its_index_first_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path / "video.mp4")
    move_index_to_front(tmp_path / "video.mp4")
    content, changed = (tmp_path / "video.mp4").read_bytes(), (tmp_path / "video.mp4").stat().st_mtime_ns
    move_index_to_front(tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes() == content and (tmp_path / "video.mp4").stat().st_mtime_ns == changed


def test_what_is_no_mp4_has_no_index(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").write_bytes(b"not a video at all")
    assert not index_is_first(tmp_path / "video.mp4")
