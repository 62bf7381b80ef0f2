"""The memory allocator of the C library."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of glibc


def share_one_heap() -> None:
    """Let all threads of this process allocate from one heap, where the C library is glibc.

    By default, most threads have a heap of their own. What one thread frees is not used by the
    others then, which took 20 MiB more when a video was tracked. Call it before threads start.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries lack it
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
