"""The memory allocator of the C library."""

from __future__ import annotations

import ctypes
import sys


def return_free_memory() -> None:
    """Return the free memory of the heap to the system, where the C library is glibc.

    What the main thread has freed is seldom used again by other threads, since they have heaps of
    their own. Opening the networks frees 20 MiB.
    """
    if sys.platform == "linux":
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries lack it
        if malloc_trim is not None:
            malloc_trim(0)
