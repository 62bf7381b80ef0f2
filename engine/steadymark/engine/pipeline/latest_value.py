"""A one-place buffer between two threads, in which a newer value replaces an older one."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """Holds at most one value; all methods may be called from any thread.

    A value that replaces one that was not taken increments `dropped`. After `close`, `put` does
    nothing, and `take` returns the value that is left, then None without waiting.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._full = False
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Number of values that were replaced before they were taken."""
        with self._changed:
            return self._dropped

    @property
    def waiting(self) -> int:
        """Number of values that were not taken yet: 0 or 1."""
        with self._changed:
            return int(self._full)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        with self._changed:
            return self._closed

    def put(self, value: T) -> bool:
        """Store a value, replacing an older one.

        Args:
            value: The value to store.

        Returns:
            True if the buffer was empty. The caller notifies the reader only in this case.
        """
        with self._changed:
            if self._closed:
                return False
            was_empty = not self._full
            self._dropped += not was_empty
            self._value, self._full = value, True
            self._changed.notify()
            return was_empty

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for a value and remove it.

        Args:
            timeout_s: The longest wait in seconds; None waits without limit.

        Returns:
            The value, or None after the timeout, or if the buffer is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._full or self._closed, timeout_s)
            value, self._value, self._full = self._value, None, False
            return value

    def close(self) -> None:
        """Wake all waiting readers. It may be called more than once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
