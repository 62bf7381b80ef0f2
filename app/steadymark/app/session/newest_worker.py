"""A thread that answers the newest of several requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from steadymark.engine.pipeline.latest_value import LatestValue

if TYPE_CHECKING:
    from collections.abc import Callable

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class NewestWorker(ABC, Generic[Request, Reply]):
    """Answers requests on a thread of its own, which starts with the first request.

    Args:
        name: The name of the thread.
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, name: str, on_ready: Callable[[], None]) -> None:
        self.newest: LatestValue[Reply] = LatestValue()
        self._requests: LatestValue[Request] = LatestValue()
        self._name, self._on_ready = name, on_ready
        self._thread: Thread | None = None

    def request(self, request: Request) -> None:
        """Request an answer. This replaces a request that has not been processed yet."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._requests.put(request)

    def close(self) -> None:
        """Ask the thread to end. `join` waits for it."""
        self._requests.close()
        self.newest.close()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread after `close`. Returns whether it ended in time."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    @abstractmethod
    def _answer(self, request: Request) -> Reply:
        """Return the reply to a request; it is called in the thread and raises nothing."""

    def _unwanted(self) -> bool:
        """Return whether no reply is wanted any more."""
        return self._requests.closed

    def _run(self) -> None:
        while (request := self._requests.take()) is not None:
            if self.newest.put(self._answer(request)):
                self._on_ready()
