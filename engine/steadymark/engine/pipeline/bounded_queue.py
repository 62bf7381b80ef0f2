"""A bounded hand-over between two threads that either side can close."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueClosed(Exception):  # noqa: N818  not an error: the ordinary end of a hand-over
    """Nothing more will come, or nothing more is taken."""


class BoundedQueue(Generic[T]):
    """First in, first out. `put` waits while it is full, `take` while it is empty."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ended = False
        self._changed = Condition()

    @property
    def waiting(self) -> int:
        """Items that nobody has taken yet."""
        with self._changed:
            return len(self._items)

    def put(self, item: T) -> None:
        """Raises Closed once the channel was ended or closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._items) < self._capacity)
            if self._ended:
                raise QueueClosed
            self._items.append(item)
            self._changed.notify_all()

    def offer(self, item: T) -> bool:
        """Leave it where there is room at once; False where there is none, or all has ended."""
        with self._changed:
            if self._ended or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> T:
        """Raises Closed when nothing is left and nothing more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or bool(self._items))
            if not self._items:
                raise QueueClosed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """No more is put; what is in the channel can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End, and drop what is in the channel."""
        with self._changed:
            self._items.clear()
            self._ended = True
            self._changed.notify_all()
