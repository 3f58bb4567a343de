"""An episode that a board recorded: what is told of it beside its numbers and pictures. A sidecar of the dataset, `meta/recorded.json`.

Knows no dataset format and no link: the board, the writer of datasets and the screen agree on it here.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from vla_demo.core.errors import InvalidInput
from vla_demo.core.storage import write_whole

__all__ = ["RecordedEpisode", "is_plain_path", "read_recorded", "write_recorded"]

RECORDED_FILE = "meta/recorded.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,100}")


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """One task on a board, from its start to its end."""

    id: str  # made by the board
    recorded_at: float  # s since 1970, by the board's clock, which may be wrong
    frames: int  # one a control period
    fps: float
    instruction: str
    ended: str  # why
    old_pictures: int  # frames that show pictures older than there were, because the recorder did not keep up
    cut_frames: int  # control periods of the task, at its end, that were not recorded
    robot: str
    kind: str  # "twin", "so101"
    policy: str
    variant: str
    package: str  # its hash
    success: bool | None = None  # as a person judged it

    @property
    def complete(self) -> bool:
        """Whether it holds all that there was to record."""
        return not self.old_pictures and not self.cut_frames

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def read_recorded(dataset: Path) -> tuple[RecordedEpisode, ...]:
    """In the order of the dataset's episodes. Raises `InvalidInput` for a folder without the sidecar, or with a broken one."""
    file = dataset / RECORDED_FILE
    known = {field.name for field in fields(RecordedEpisode)}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["episodes"]
        return tuple(RecordedEpisode(**{key: value for key, value in entry.items() if key in known}) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{file} does not tell what was recorded ({error})") from error


def write_recorded(dataset: Path, episodes: Iterable[RecordedEpisode]) -> None:
    """Whole or not at all. Raises `OSError`."""
    text = json.dumps({"episodes": [asdict(episode) | {"complete": episode.complete} for episode in episodes]}, indent=1)
    write_whole(dataset / RECORDED_FILE, f"{text}\n".encode())


def is_plain_path(name: str) -> bool:
    """Whether this names a file below a folder, and can name nothing else: plain parts joined by "/", none hidden."""
    return all(_NAME.fullmatch(part) for part in name.split("/"))
