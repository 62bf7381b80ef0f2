"""Short-lived threads of the session, which are all joined at the end."""

from __future__ import annotations

import logging
import time
from threading import Thread
from typing import TYPE_CHECKING

from steadymark.app.session.background_opening import OpenResult
from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class CoalescedCallback:
    """A callback for any thread that is skipped until `mark_handled` ends the earlier call."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._pending = False

    def __call__(self) -> None:
        if not self._pending:
            self._pending = True
            self._call()

    def mark_handled(self) -> None:
        """Mark the call as handled.

        The GUI thread does this before it looks at what has changed.
        """
        self._pending = False


class WorkerThreads:
    """Starts and joins threads. It is used in the GUI thread.

    Args:
        on_result: Receives the result of an opening, in the thread of the opening.
    """

    def __init__(self, on_result: Callable[[OpenResult], None]) -> None:
        self._on_result = on_result
        self._threads: list[Thread] = []
        self.number = 0  # number of the newest opening

    def invalidate(self) -> None:
        """Ignore the results of the openings that are running."""
        self.number += 1

    def open(self, work: Callable[[int], OpenResult]) -> None:
        """Run an opening in a thread. The result of an earlier opening is no longer used."""
        self.number += 1
        number = self.number

        def run() -> None:
            try:
                opened = work(number)
            except SteadymarkError as error:
                opened = OpenResult(number, fault=error.sentence)
            except Exception as error:
                log.exception("opening")
                fault = UserText(
                    "opening failed ({fault})", fault=f"{type(error).__name__}: {error}"
                )
                opened = OpenResult(number, fault=fault)
            self._on_result(opened)

        self.run(run, "opening")

    def run(self, work: Callable[[], None], name: str) -> None:
        """Run work on a thread that `join` waits for."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, deadline_s: float) -> bool:
        """Return whether all threads ended before this time of `time.monotonic`."""
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)
