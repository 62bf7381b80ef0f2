"""What this process takes of the system: memory, threads, open files."""

from __future__ import annotations

import threading
import time
from typing import Any

from steadymark.engine.bench.soak.soak_limits import SoakSample
from steadymark.engine.core.errors import UsageError

_MIB = 1 << 20
_LOOK_S = 0.02


class ProcessStats:
    """From now on. Raises UsageError where psutil is not there."""

    def __init__(self) -> None:
        self._process = _own_process()
        self._before = self._counts()

    def sample(self, at_s: float, frames: int) -> SoakSample:
        """Now, so many frames after the beginning."""
        threads, handles = self._counts()
        rss_mib = rss_bytes() / _MIB
        return SoakSample(
            at_s=at_s, frames=frames, rss_mib=rss_mib, threads=threads, handles=handles
        )

    def left(self, patience_s: float) -> tuple[int, ...]:
        """Threads and handles more than before; the system takes a moment to end a thread."""
        end_s, pause = time.monotonic() + patience_s, threading.Event()
        while True:
            left = tuple(n - b for n, b in zip(self._counts(), self._before, strict=True))
            if max(left) <= 0 or time.monotonic() > end_s:
                return left
            pause.wait(_LOOK_S)

    def _counts(self) -> tuple[int, int]:
        """Threads, and open files (handles on Windows), now."""
        counted = getattr(self._process, "num_fds", None) or self._process.num_handles
        return int(self._process.num_threads()), int(counted())


def rss_bytes() -> int:
    """Resident memory of this process; raises UsageError where psutil is not there."""
    return int(_own_process().memory_info().rss)


def _own_process() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise UsageError(
            "measuring memory, threads and handles needs psutil: pip install psutil"
        ) from error
    return psutil.Process()
