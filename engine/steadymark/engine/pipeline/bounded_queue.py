"""A bounded queue between two threads that either side can close."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueClosed(Exception):  # noqa: N818  not an error: this is how a queue normally ends
    """The queue was ended or closed."""


class BoundedQueue(Generic[T]):
    """First-in, first-out queue. `put` blocks while it is full, and `take` while it is empty."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ended = False
        self._changed = Condition()

    @property
    def waiting(self) -> int:
        """Number of items in the queue."""
        with self._changed:
            return len(self._items)

    def put(self, item: T) -> None:
        """Append an item; wait while the queue is full.

        Args:
            item: The item to append.

        Raises:
            QueueClosed: The queue was ended or closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._items) < self._capacity)
            if self._ended:
                raise QueueClosed
            self._items.append(item)
            self._changed.notify_all()

    def offer(self, item: T) -> bool:
        """Append an item without waiting.

        Args:
            item: The item to append.

        Returns:
            False if the queue is full, ended or closed; the item is then not appended.
        """
        with self._changed:
            if self._ended or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> T:
        """Remove and return the first item; wait while the queue is empty.

        Raises:
            QueueClosed: The queue is empty and was ended or closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or bool(self._items))
            if not self._items:
                raise QueueClosed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """Accept no more items; items in the queue can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the queue and discard the items in it."""
        with self._changed:
            self._items.clear()
            self._ended = True
            self._changed.notify_all()
