"""What the tea-bag protocol says about an episode and LeRobot's format has no place for: a sidecar, `meta/teabag.json`."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vla_demo.core.errors import InvalidInput

__all__ = ["EpisodeTags", "read_tags", "split_ranges", "write_tags"]

TAGS_FILE = Path("meta") / "teabag.json"


@dataclass(frozen=True, slots=True)
class EpisodeTags:
    """Where an episode stands in the protocol; every field but the index may be unknown."""

    episode_index: int
    cluster: int | None = None  # 1..11
    is_recovery: bool = False  # starts from a failed state
    split: str | None = None  # "train" | "validation" | "test"
    seed: int | None = None  # repeats the start


def write_tags(dataset: Path, tags: Iterable[EpisodeTags]) -> None:
    text = json.dumps({"episodes": [asdict(t) for t in tags]}, indent=1)
    (dataset / TAGS_FILE).write_text(text + "\n", encoding="utf-8")


def read_tags(dataset: Path) -> dict[int, EpisodeTags]:
    """Tags by episode index; empty when the dataset has no sidecar. Raises `InvalidInput` when it has a broken one."""
    file = dataset / TAGS_FILE
    if not file.exists():
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["episodes"]
        tags = [EpisodeTags(**entry) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{file} is not a list of episode tags ({error}); remove it or record the dataset again") from error
    return {t.episode_index: t for t in tags}


def split_ranges(tags: Iterable[EpisodeTags]) -> dict[str, str]:
    """Splits as `meta/info.json` has them: {"validation": "0:10", "test": "10:30"}.

    LeRobot's notation has room for one run of episodes a split; a split in several pieces is left out, and the sidecar alone knows it.
    """
    runs: list[tuple[str | None, int, int]] = []
    for tag in sorted(tags, key=lambda t: t.episode_index):
        if runs and runs[-1][0] == tag.split and runs[-1][2] == tag.episode_index:
            runs[-1] = (tag.split, runs[-1][1], tag.episode_index + 1)
        else:
            runs.append((tag.split, tag.episode_index, tag.episode_index + 1))
    pieces = Counter(split for split, _, _ in runs)
    return {split: f"{first}:{end}" for split, first, end in runs if split is not None and pieces[split] == 1}
