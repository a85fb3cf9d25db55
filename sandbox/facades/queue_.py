"""`queue` without threads: the same queues, in which a wait that could never end is an error."""

from __future__ import annotations

import heapq
import queue
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.run import Run


class Queue:
    """First in, first out."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self.unfinished_tasks = 0
        self.queue: Any = self.start()

    def start(self) -> Any:
        """The empty container."""
        return deque()

    def add(self, item: Any) -> None:
        """Keep an item."""
        self.queue.append(item)

    def take(self) -> Any:
        """Give the next item."""
        return self.queue.popleft()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; a full queue raises Full, since nobody else could make room."""
        if self.full():
            raise queue.Full
        self.unfinished_tasks += 1
        self.add(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item; an empty queue raises Empty, or says what is wrong where it would wait for ever."""
        if self.empty():
            if block and timeout is None:
                raise RuntimeError("get() would wait for ever: the queue is empty, and there are no threads to fill it")
            raise queue.Empty
        return self.take()

    def put_nowait(self, item: Any) -> None:
        """The same as put."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Take an item, or raise Empty."""
        return self.get(block=False)

    def qsize(self) -> int:
        """How many items there are."""
        return len(self.queue)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self.queue

    def full(self) -> bool:
        """Whether there are `maxsize` items."""
        return 0 < self.maxsize <= len(self.queue)

    def task_done(self) -> None:
        """Say that an item was worked on."""
        if self.unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self.unfinished_tasks -= 1

    def join(self) -> None:
        """Return when every item was worked on."""
        if self.unfinished_tasks:
            raise RuntimeError("join() would wait for ever: items are unfinished, and there are no threads")


class LifoQueue(Queue):
    """Last in, first out."""

    def start(self) -> Any:
        """The empty container."""
        return []

    def take(self) -> Any:
        """Give the newest item."""
        return self.queue.pop()


class PriorityQueue(LifoQueue):
    """Smallest first."""

    def add(self, item: Any) -> None:
        """Keep an item."""
        heapq.heappush(self.queue, item)

    def take(self) -> Any:
        """Give the smallest item."""
        return heapq.heappop(self.queue)


_CONTENTS: dict[str, Any] = {
    "Empty": queue.Empty,
    "Full": queue.Full,
    "LifoQueue": LifoQueue,
    "PriorityQueue": PriorityQueue,
    "Queue": Queue,
    "SimpleQueue": Queue,
}


def queue_contents(run: Run) -> dict[str, Any]:
    """The same classes for every run."""
    return dict(_CONTENTS)
