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


class SingleCallback:
    """A callback for any thread that is skipped while an earlier call has not `arrived`."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._under_way = False

    def __call__(self) -> None:
        if not self._under_way:
            self._under_way = True
            self._call()

    def arrived(self) -> None:
        """Mark the call as handled.

        The GUI thread does this before it looks at what has changed.
        """
        self._under_way = False


class WorkerThreads:
    """Starts and joins threads. It is used in the GUI thread.

    Args:
        bring_home: Receives the result of an opening, in the thread of the opening.
    """

    def __init__(self, bring_home: Callable[[OpenResult], None]) -> None:
        self._bring_home = bring_home
        self._threads: list[Thread] = []
        self.number = 0  # number of the newest opening

    def pass_over(self) -> None:
        """Make the running openings void."""
        self.number += 1

    def open(self, work: Callable[[int], OpenResult]) -> None:
        """Run an opening in a thread. Only the newest opening counts."""
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
            self._bring_home(opened)

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
