"""Memory, threads and open files of this process."""

from __future__ import annotations

import threading
import time
from typing import Any

from steadymark.engine.bench.soak.soak_limits import SoakSample
from steadymark.engine.core.errors import UsageError

_MIB = 1 << 20
_POLL_S = 0.02


class ProcessStats:
    """Counts the memory, threads and open files of this process from its creation on.

    Raises:
        UsageError: psutil is not installed.
    """

    def __init__(self) -> None:
        self._process = _own_process()
        self._before = self._counts()

    def sample(self, at_s: float, frames: int) -> SoakSample:
        """Return the current counts.

        Args:
            at_s: Time since the start of the run, in seconds.
            frames: Number of frames tracked so far.

        Returns:
            A sample of this moment.
        """
        threads, handles = self._counts()
        rss_mib = rss_bytes() / _MIB
        return SoakSample(
            at_s=at_s, frames=frames, rss_mib=rss_mib, threads=threads, handles=handles
        )

    def not_released(self, patience_s: float) -> tuple[int, ...]:
        """Return how many more threads and handles exist than at creation.

        The system takes a moment to end a thread, so the counts are read until nothing is left or
        the time is over.

        Args:
            patience_s: How long to wait, in seconds.

        Returns:
            The numbers of additional threads and handles.
        """
        end_s, pause = time.monotonic() + patience_s, threading.Event()
        while True:
            left = tuple(n - b for n, b in zip(self._counts(), self._before, strict=True))
            if max(left) <= 0 or time.monotonic() > end_s:
                return left
            pause.wait(_POLL_S)

    def _counts(self) -> tuple[int, int]:
        """Return the current numbers of threads and of open files (handles on Windows)."""
        counted = getattr(self._process, "num_fds", None) or self._process.num_handles
        return int(self._process.num_threads()), int(counted())


def rss_bytes() -> int:
    """Return the resident memory of this process, in bytes.

    Raises:
        UsageError: psutil is not installed.
    """
    return int(_own_process().memory_info().rss)


def _own_process() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise UsageError(
            "measuring memory, threads and handles needs psutil: pip install psutil"
        ) from error
    return psutil.Process()
