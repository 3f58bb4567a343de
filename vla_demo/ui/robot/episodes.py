"""The recorded episodes in the Robot tab: the switch, the list, what is removed, and the download as one dataset."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from vla_demo.board.view import BoardEpisode, EpisodesView
from vla_demo.core.errors import InvalidInput
from vla_demo.core.formats import count, megabytes, seconds
from vla_demo.core.labels import variant_label
from vla_demo.ui.robot.contract import Robot
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.messages import Message, file_url, message
from vla_demo.ui.shared.toasts import answer_or_problem, reports_failures
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.robot.episodes import DownloadedDataset

__all__ = ["EpisodesPanel"]


class EpisodesPanel:
    """`link` finds a visitor's robot by the key that only their page knows; it raises `BoardError`."""

    def __init__(self, link: Callable[[str], Robot]) -> None:
        self._link = link

    def episodes(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`verb`: list, record (with `on`), forget (with `ids`). Answers the list as it is then."""
        return answer_or_problem(lambda: self._list(asked))

    @reports_failures("episodes")
    def download_episodes(self, asked: gr.EventData) -> Iterator[Message]:
        work = str(asked.run)
        for step in self._link(str(asked.key)).episodes.download([str(one) for one in asked.ids]):
            if isinstance(step, Preparing):
                yield messages.progress(step, work)
            else:
                yield message("downloaded", run=work, **_downloaded(step))

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        episodes, verb = self._link(str(asked["key"])).episodes, str(asked["verb"])
        if verb == "record":
            episodes.record(bool(asked["on"]))
        elif verb == "forget":
            episodes.remove([str(one) for one in asked["ids"]])
        elif verb != "list":
            raise InvalidInput(f"there is no command {verb[:20]!r} for episodes; there are list, record, forget")
        view = episodes.view()
        rows = [row(one) for one in reversed(view.episodes)]  # the newest first
        return {"on": view.on, "closing": view.closing, "where": where(view), "why": view.problem, "rows": rows}


def where(view: EpisodesView) -> str:
    """Whether tasks are recorded, where, and how much there is."""
    used = sum(one.size_bytes for one in view.episodes)
    start = f"Each task is recorded on the board, in {view.folder}." if view.on else "Tasks are not recorded."
    if not view.episodes:
        return start
    return f"{start} {count(len(view.episodes), 'episode')} there, {megabytes(used)} of at most {view.limit_bytes / 1e9:g} GB."


def row(episode: BoardEpisode) -> dict[str, Any]:
    return {
        "id": episode.id,
        "at": episode.recorded_at,
        "length": seconds(episode.seconds),
        "frames": str(episode.frames),
        "whole": whole(episode),
        "complete": not episode.old_pictures and not episode.cut_frames,
        "judged": {True: "in the mug", False: "missed", None: "–"}[episode.success],
        "policy": f"{episode.policy or '–'}, {variant_label(episode.variant) if episode.variant else '–'}",
        "ended": episode.ended,
        "size": megabytes(episode.size_bytes),
    }


def whole(episode: BoardEpisode) -> str:
    """What the recorder did not manage to keep, in words."""
    missing = []
    if episode.old_pictures:
        missing.append(f"the pictures of {count(episode.old_pictures, 'frame')} were dropped, older ones stand there")
    if episode.cut_frames:
        missing.append(f"{count(episode.cut_frames, 'frame')} dropped at its end")
    return f"incomplete: {', '.join(missing)}" if missing else "whole"


def _downloaded(found: DownloadedDataset) -> dict[str, Any]:
    text = f"{count(found.episodes, 'episode')}, {count(found.frames, 'frame')}, {megabytes(found.size_bytes)} in {found.folder}."
    return {"text": text, "archive": file_url(found.archive), "name": found.archive.name, "command": found.opens_with}
