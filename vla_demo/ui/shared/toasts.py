"""The one place where an error of this project becomes a toast in plain words."""

import html
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from vla_demo.core.errors import Stopped, VlaDemoError
from vla_demo.ui.shared.messages import Message, failed

__all__ = ["answer_or_problem", "reports_failures", "warn"]

SECONDS = 12
Handler = Callable[..., Iterator[Message]]


def warn(sentences: Iterable[str]) -> None:
    """A warning a sentence; the page goes on."""
    for sentence in sentences:
        gr.Warning(html.escape(sentence), duration=SECONDS)


def answer_or_problem(run: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    """What `run` answers. What is asked directly has no toast: the problem is part of the answer, with the code of its kind."""
    try:
        return {"problem": "", **(run() or {})}
    except VlaDemoError as error:
        return {"problem": str(error), "code": error.code}
    except (KeyError, TypeError, ValueError) as error:  # the page asked for something in a shape of its own
        return {"problem": str(error) or type(error).__name__, "code": "bad-request"}


def reports_failures(what: str, kind: str = "failed", toast: bool = True) -> Callable[[Handler], Handler]:
    """Wrap a handler that streams messages: when it fails the page hears which thing failed (a message of `kind`), and the visitor why.
    Without `toast` only the page does, which shows it where it belongs.

    An error that is not ours is a bug: the page recovers all the same, the toast stays general and the log has the traceback.
    """

    def around(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapped(*args: Any, **kwargs: Any) -> Iterator[Message]:
            work = next((arg._data.get("run") for arg in args if isinstance(arg, gr.EventData)), None)
            try:
                yield from handler(*args, **kwargs)
            except Stopped:
                return  # the page knows: it asked
            except VlaDemoError as error:
                yield {**failed(what, work, error), "kind": kind}
                if not toast:
                    return
                raise gr.Error(html.escape(str(error)), duration=SECONDS, print_exception=False) from error
            except Exception as error:
                yield {**failed(what, work), "kind": kind}
                raise gr.Error("Something went wrong inside the app; its log says what.", duration=SECONDS) from error

        return wrapped

    return around
