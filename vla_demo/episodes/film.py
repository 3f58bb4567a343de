"""Writes pictures into a video that browsers play. It knows nothing of what they show."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.extras import install

__all__ = ["write_film"]

# yuv420p and the index first: what every browser plays and seeks in. A key frame a second.
_CRF = "26"


def write_film(file: Path, pictures: Iterable[NDArray[np.uint8]], fps: int) -> None:
    """H.264 in MP4 from (H, W, 3) RGB pictures, H and W even. The file appears whole or not at all; its folder is made.

    Raises `InvalidInput` when there is no picture and `MissingPiece` without PyAV.
    """
    try:
        import av
    except ImportError as error:
        raise MissingPiece(f"writing videos needs PyAV: {install('app')}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".mp4", dir=file.parent)
    os.close(handle)
    try:
        with av.open(partial, "w", options={"movflags": "faststart"}) as out:
            _encode(out, pictures, fps)
        os.chmod(partial, 0o644)  # mkstemp's 0600 would keep a browser served by another user out
        os.replace(partial, file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _encode(out: object, pictures: Iterable[NDArray[np.uint8]], fps: int) -> None:
    import av

    assert isinstance(out, av.container.OutputContainer)
    stream = None
    for picture in pictures:
        if stream is None:
            options = {"preset": "veryfast", "crf": _CRF, "g": str(fps), "bf": "0"}
            stream = out.add_stream("libx264", rate=fps, options=options)
            stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
            stream.codec_context.thread_count = 1  # films are made side by side
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    if stream is None:
        raise InvalidInput("a film needs at least one picture")
    out.mux(stream.encode())
