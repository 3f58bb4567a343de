"""A queue between two threads that never holds more than so many bytes: one side may be refused, or kept waiting, as it likes."""

import threading
from collections import deque

__all__ = ["BoundedQueue"]


class BoundedQueue[Item]:
    """First in, first out."""

    def __init__(self, most_bytes: int, most_items: int) -> None:
        self._most_bytes, self._most_items = most_bytes, most_items
        self._change = threading.Condition()
        self._waiting: deque[tuple[Item, int]] = deque()
        self._bytes = 0

    def offer(self, item: Item, size: int, *, must: bool = False) -> bool:
        """At once: whether there was room for its `size` bytes. `must`: it is taken in any case."""
        with self._change:
            if not must and not self._fits(size):
                return False
            self._take(item, size)
            return True

    def put(self, item: Item, size: int) -> None:
        """Waits for room."""
        with self._change:
            self._change.wait_for(lambda: self._fits(size))
            self._take(item, size)

    def get(self) -> Item:
        """Waits for one."""
        with self._change:
            self._change.wait_for(lambda: bool(self._waiting))
            item, size = self._waiting.popleft()
            self._bytes -= size
            self._change.notify_all()
            return item

    def _fits(self, size: int) -> bool:
        """What is larger than all the room there is goes in when nothing else is there."""
        return not self._waiting or (self._bytes + size <= self._most_bytes and len(self._waiting) < self._most_items)

    def _take(self, item: Item, size: int) -> None:
        self._waiting.append((item, size))
        self._bytes += size
        self._change.notify_all()
