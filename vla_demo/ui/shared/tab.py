"""What a tab of the page is to the server: its name, its events as data, and what it answers directly."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gradio as gr

from vla_demo.ui.shared.messages import Message

__all__ = ["RUNS_AT_ONCE", "Event", "ServerFunction", "Tab"]

RUNS_AT_ONCE = 8  # of one kind; more visitors than that wait for a free place

ServerFunction = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a tab's script asks for, and who answers."""

    name: str  # as the script triggers it
    handler: Callable[..., Any]
    concurrency: int | None = None  # answered at once; None: as many as are asked for
    trigger: str = "multiple"  # Gradio's `trigger_mode`
    queue: bool = True  # False: answered beside the queue, whatever waits in it


class Tab(Protocol):
    """One for the whole app, for all visitors."""

    @property
    def name(self) -> str:
        """Of its element, its HTML file and its folder of scripts."""
        ...

    @property
    def styles(self) -> Sequence[str]:
        """Names of its style sheets."""
        ...

    def visit(self, request: gr.Request) -> Iterator[Message]:
        """The page was opened."""
        ...

    def events(self) -> Sequence[Event]: ...

    def server_functions(self) -> Sequence[ServerFunction]:
        """What its script may ask directly, past the events: plain JSON in, plain JSON out."""
        ...

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        ...
