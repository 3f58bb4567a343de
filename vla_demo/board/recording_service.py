"""What a board answers about the episodes it records. Looking needs no lease; all else is the holder's, so one at a time downloads."""

from typing import Any

from vla_demo.board import link_pb2 as link
from vla_demo.board import rpc
from vla_demo.board.driver import Driver
from vla_demo.board.lease import LeaseDesk, stamped
from vla_demo.board.recordings import RecordingShelf
from vla_demo.core.recorded import RecordedEpisode

__all__ = ["EpisodeService"]


class EpisodeService:
    """The calls of `Episodes` in `link.proto`."""

    def __init__(self, driver: Driver, desk: LeaseDesk, shelf: RecordingShelf) -> None:
        self._driver, self._desk, self._shelf = driver, desk, shelf

    def Recordings(self, _: Any) -> Any:
        recorder = self._driver.recorder
        return link.RecordingList(
            recordings=[_message(episode, size) for episode, size in self._shelf.kept()],
            on=recorder.on,
            folder=str(recorder.folder),
            limit_bytes=recorder.limit,
            free_bytes=self._shelf.free_bytes(),
            problem=recorder.problem,
            closing=recorder.closing,
            last=recorder.last,
        )

    def Record(self, request: Any) -> Any:
        """From the next task on; not while one runs."""
        self._desk.admit(stamped(request.stamp))
        self._driver.expect_no_task()
        self._driver.recorder.record(request.on)
        return link.Done()

    def Judge(self, request: Any) -> Any:
        self._desk.admit(stamped(request.stamp))
        recorder = self._driver.recorder
        self._shelf.judge(request.id, request.success, lambda: recorder.last == request.id and not recorder.problem)
        return link.Done()

    def Files(self, request: Any) -> Any:
        self._desk.admit(stamped(request.stamp))
        files = self._shelf.files(request.id)
        return link.FileList(files=[link.PackageFile(name=f.name, size=f.size, sha256=f.sha256) for f in files])

    def Fetch(self, request: Any) -> Any:
        self._desk.admit(stamped(request.stamp), "upload")
        return link.FetchReply(data=self._shelf.part(request.id, request.file, request.offset, rpc.PART_BYTES))

    def Forget(self, request: Any) -> Any:
        self._desk.admit(stamped(request.stamp))
        self._shelf.remove(request.id)
        self._driver.recorder.recount()
        return link.Done()


def _message(episode: RecordedEpisode, size: int) -> Any:
    return link.Recording(
        id=episode.id,
        recorded_at=episode.recorded_at,
        frames=episode.frames,
        fps=episode.fps,
        instruction=episode.instruction,
        ended=episode.ended,
        old_pictures=episode.old_pictures,
        cut_frames=episode.cut_frames,
        policy=episode.policy,
        variant=episode.variant,
        success=episode.success,
        bytes=size,
    )
