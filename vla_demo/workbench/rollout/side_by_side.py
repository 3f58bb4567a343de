"""One piece of work after another in several processes, results as they come. Knows nothing of the work."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from vla_demo.core.errors import Stopped, VlaDemoError
from vla_demo.workbench.rollout.worker import heed

__all__ = ["side_by_side"]

_LOOK = 0.2  # s between two looks at whether somebody said stop


def side_by_side[Task, Result](
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, stopping: threading.Event | None = None
) -> Iterator[Result]:
    """`work(task)` for every task in `jobs` processes; 0: in this one, one after another. Everything must be fit to be sent.

    Closing the iterator and setting `stopping` stop the processes: rollouts end at their next tick. Raises `Stopped` in the second case,
    what the work raised, and `VlaDemoError` when a process was killed.
    """
    if jobs == 0 or not tasks:
        yield from map(work, tasks)
        return
    context = get_context("spawn")  # a forked process would share the graphics and the threads of this one
    stop = context.Event()
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, heed, (stop,)) as pool:
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
