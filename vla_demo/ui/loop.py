"""What happens in the Closed loop tab when the page asks, live part. Each answer is a stream of messages; Gradio only carries them."""

from collections.abc import Iterator

import gradio as gr

from vla_demo.core.errors import MissingPiece
from vla_demo.ui.bench import Bench
from vla_demo.ui.link import read_link
from vla_demo.ui.messages import Message, message
from vla_demo.ui.toasts import told

__all__ = ["LoopDesk"]


class LoopDesk:
    """The handlers of the Closed loop view. One for the whole app."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @told("loop")
    def visit(self, request: gr.Request) -> Iterator[Message]:
        """Which policies and starts there are, and which ones the link is about. Replay, which reads all of it, complains of a bad one."""
        view, _ = read_link(dict(request.query_params), self._bench.bundled(), [card.index for card in self._bench.episodes()])
        try:
            starts, missing = self._bench.loop_starts(), ""
        except MissingPiece as error:
            starts, missing = (), str(error)
        yield message(
            "setting",
            policies=[{"id": name, "label": label} for name, label in self._bench.bundled().items()],
            chosen=view.policy,
            starts=[{"number": card.number, "label": f"{card.split} · cluster {card.cluster}"} for card in starts],
            missing=missing,
        )
