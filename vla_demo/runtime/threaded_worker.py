"""The worker for a real clock: one thread infers beside the control loop, so that a tick never waits for a policy.

It holds one request and one answer, never a queue: the newest request wins, and an answer to an older one is thrown away.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.observation import ActionChunk
from vla_demo.runtime.control_loop import Answer, Request

__all__ = ["ThreadedWorker"]

logger = logging.getLogger(__name__)

SECONDS_TO_FINISH = 2.0  # longer than a board's inference of a small policy; nobody should wait longer for one that hangs


class ThreadedWorker:
    """A `Worker`: `with ThreadedWorker(infer) as worker: ControlLoop(body, worker, RealClock(), settings)`.

    `infer` is called in the worker's thread, one request at a time. What it raises becomes the answer: a `VlaDemoError` as it is, anything
    else as one with its name, and its trace goes to the log.
    """

    def __init__(self, infer: Callable[[Request], ActionChunk]) -> None:
        self._infer = infer
        self._change = threading.Condition()
        self._wanted: Request | None = None  # asked for, not begun
        self._ready: Answer | None = None
        self._closed = False
        # A daemon: an inference that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def ask(self, request: Request) -> None:
        """Begin as soon as the thread is free. Raises `VlaDemoError` when the worker is closed."""
        with self._change:
            if self._closed:
                raise VlaDemoError("the worker is closed; a new loop needs a new one")
            self._wanted, self._ready = request, None
            self._change.notify()

    def answer(self) -> Answer | None:
        """The answer to the last request, once, when it is there by now."""
        with self._change:
            answer, self._ready = self._ready, None
            return answer

    def close(self, timeout: float = SECONDS_TO_FINISH) -> bool:
        """Take no more requests, and wait up to `timeout` s for the thread: False when it is still inferring. May be called twice."""
        with self._change:
            self._closed, self._wanted, self._ready = True, None, None
            self._change.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (request := self._next()) is not None:
            answer = Answer(request, self._outcome(request))
            with self._change:
                if self._wanted is None and not self._closed:
                    self._ready = answer

    def _next(self) -> Request | None:
        """None when it is time to end."""
        with self._change:
            self._change.wait_for(lambda: self._closed or self._wanted is not None)
            request, self._wanted = self._wanted, None
            return request

    def _outcome(self, request: Request) -> ActionChunk | VlaDemoError:
        try:
            return self._infer(request)
        except VlaDemoError as error:
            return error
        except Exception as error:  # a thread that dies here would leave its request unanswered for ever
            logger.exception("inference %d failed", request.number)
            return VlaDemoError(f"inference failed: {type(error).__name__}: {error}")
