"""MP4 with its index first, so that a browser starts and seeks without fetching the whole file. It does not re-encode."""

import os
from pathlib import Path

__all__ = ["index_is_first", "move_index_to_front"]


def index_is_first(video: Path) -> bool:
    """Whether the `moov` box stands before the `mdat` box (ISO 14496-12: 4 bytes of size, 4 of type, 8 more of size when size is 1)."""
    with video.open("rb") as file:
        while header := file.read(8):
            size, kind = int.from_bytes(header[:4]), header[4:]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            if size == 1:
                size = int.from_bytes(file.read(8)) - 8
            file.seek(size - 8, os.SEEK_CUR)
    return False


def move_index_to_front(video: Path) -> None:
    """Rewrite `video` in place, packets untouched, unless its index is first already."""
    if index_is_first(video):
        return
    import av

    rewritten = video.with_suffix(".faststart.mp4")
    with av.open(str(video)) as source, av.open(str(rewritten), "w", options={"movflags": "faststart"}) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream, opaque=True)
        copy.time_base = stream.time_base
        for packet in source.demux(stream):
            if packet.dts is None:  # the demuxer's closing packet
                continue
            packet.stream = copy
            target.mux(packet)
    os.replace(rewritten, video)
