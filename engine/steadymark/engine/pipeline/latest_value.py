"""The live hand-over between two threads: one place, in which the newest value wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """Holds at most one value. Any thread may call anything.

    A value that is put while another lies there replaces it, and is counted in `dropped`. After
    `close`, `put` does nothing, and `take` gives what still lies there, then None at once.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._full = False
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Values that were replaced before anyone took them."""
        with self._changed:
            return self._dropped

    @property
    def waiting(self) -> int:
        """Values that nobody has taken yet: 0 or 1."""
        with self._changed:
            return int(self._full)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        with self._changed:
            return self._closed

    def put(self, value: T) -> bool:
        """Leave a value. True when the place was empty: then, and only then, wake the taker."""
        with self._changed:
            if self._closed:
                return False
            was_empty = not self._full
            self._dropped += not was_empty
            self._value, self._full = value, True
            self._changed.notify()
            return was_empty

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for a value and remove it; None after `timeout_s` or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._full or self._closed, timeout_s)
            value, self._value, self._full = self._value, None, False
            return value

    def close(self) -> None:
        """Wake every taker. May be called more than once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
