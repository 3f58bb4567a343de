"""One piece of work after another in several processes, results as they come. Knows nothing of the work."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Protocol

from vla_demo.core.errors import Stopped, VlaDemoError

__all__ = ["Stop", "side_by_side"]

_LOOK = 0.2  # s between two looks at whether somebody said stop


class Stop(Protocol):
    """An event of `multiprocessing`."""

    def is_set(self) -> bool: ...


def side_by_side[Task, Result](
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: int,
    *,
    stop_on: Callable[[Stop], None],
    stopping: threading.Event | None = None,
) -> Iterator[Result]:
    """`work(task)` for every task in `jobs` processes; 0: in this one, one after another. Everything must be fit to be sent.

    Closing the iterator and setting `stopping` stop the processes: each has called `stop_on` with the event on which its work is to end.
    Raises `Stopped` in the second case, what the work raised, and `VlaDemoError` when a process was killed.
    """
    if jobs == 0 or not tasks:
        yield from map(work, tasks)
        return
    context = get_context("spawn")  # a forked process would share the graphics and the threads of this one
    stop = context.Event()
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin_process, (stop_on, stop)) as pool:
        waiting: set[Future[Result]] = {pool.submit(work, task) for task in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, _LOOK, FIRST_COMPLETED)
                yield from (future.result() for future in done)
                if stopping is not None and stopping.is_set():
                    raise Stopped("the batch was stopped; what was finished is kept")
        except BrokenProcessPool as error:
            raise VlaDemoError("a process of the batch was killed, perhaps for want of memory; what was finished is kept") from error
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _begin_process(stop_on: Callable[[Stop], None], stop: Stop) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    stop_on(stop)
