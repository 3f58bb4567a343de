"""The near end of a board's recordings: asked for by a screen, in parts, going on where an earlier attempt broke off, checked by hash."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vla_demo.board import link_pb2 as link
from vla_demo.board.view import EpisodesView, episodes_view
from vla_demo.core.errors import BoardError
from vla_demo.core.recorded import is_plain_path
from vla_demo.core.storage import fingerprint

__all__ = ["EpisodeCalls"]

# s: deadlines. Hundreds of episodes are looked through; a large one is read whole for its hashes; one that just ended is waited for.
LISTING, SLOW = 10.0, 60.0
MOST_FILES, MOST_BYTES = 100, 20 << 30  # of an episode; a board that says otherwise is not believed

Command = Callable[[str, Callable[[Any], Any], float, str], Any]


class EpisodeCalls:
    """Of one `BoardClient`. All raise `BoardError`; `record`, `judge`, `fetch` and `remove` want the lease."""

    def __init__(self, calls: Mapping[str, Callable[[Any, float], Any]], command: Command) -> None:
        self._calls, self._command = calls, command

    def list(self) -> EpisodesView:
        """What the board has recorded, and whether it goes on."""
        return episodes_view(self._calls["Recordings"](link.Nothing(), LISTING))

    def record(self, on: bool) -> None:
        """The tasks from now on; the first time takes a second or two."""
        self._command("Record", lambda stamp: link.RecordRequest(stamp=stamp, on=on), SLOW, "command")

    def judge(self, episode: str, success: bool) -> None:
        self._command("Judge", lambda stamp: link.JudgeRequest(stamp=stamp, id=episode, success=success), SLOW, "command")

    def remove(self, episode: str) -> None:
        self._command("Forget", lambda stamp: link.RecordingRequest(stamp=stamp, id=episode), SLOW, "command")

    def fetch(self, episode: str, folder: Path) -> Iterator[tuple[int, int]]:
        """Into `folder`: (bytes here, bytes in all) as it goes. Whole and as the board has it when it ends; else call it again."""
        files = self._command("Files", lambda stamp: link.RecordingRequest(stamp=stamp, id=episode), SLOW, "command").files
        _check(files)
        total, before = sum(file.size for file in files), 0
        for place, file in enumerate(files):
            for have in self._file(episode, place, file, folder / file.name):
                yield before + have, total
            before += file.size

    def _file(self, episode: str, place: int, file: Any, target: Path) -> Iterator[int]:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as out:
            have = out.tell()
            while have < file.size:
                data = self._part(episode, place, have)
                if not data:
                    break
                out.write(data)
                have += len(data)
                yield have
        if have != file.size or fingerprint([target]).sha256 != file.sha256:
            target.unlink()
            raise BoardError(f"{file.name} did not arrive as the board has it; download it again, what else has arrived is kept")

    def _part(self, episode: str, place: int, offset: int) -> bytes:
        def request(stamp: Any) -> Any:
            return link.FetchRequest(stamp=stamp, id=episode, file=place, offset=offset)

        return bytes(self._command("Fetch", request, 4.0, "upload").data)


def _check(files: Any) -> None:
    """A board may be anybody's: no name of its leaves the folder."""
    wrong = [file.name for file in files if not is_plain_path(file.name)]
    if wrong or len(files) > MOST_FILES or sum(file.size for file in files) > MOST_BYTES:
        raise BoardError(f"the board offers an episode that is none: {len(files)} files, {', '.join(map(repr, wrong[:3])) or 'too large'}")
