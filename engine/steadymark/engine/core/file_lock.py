"""File locks that the operating system releases when the process that holds them ends.

Some network disks do not support locks. There, the functions behave as if no other process wrote.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_S = 0.01
_PATIENCE_S = 10.0  # a suspended process must not block all others
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    _FAR_BYTE = (1 << 31) - 2  # a locked byte cannot be read: use one far past the end

    def _lock(handle: int) -> bool:
        os.lseek(handle, _FAR_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        except OSError:
            return True
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def open_locked(path: Path) -> int | None:
    """Open a file for reading and writing, and lock it until it is closed.

    The file is created if it does not exist. Its contents are not changed.

    Args:
        path: The file to open.

    Returns:
        The file descriptor, or None if another process holds the lock.

    Raises:
        OSError: The file cannot be opened.
    """
    while True:
        handle = os.open(path, _OPEN, 0o666)
        try:
            if not _lock(handle):
                os.close(handle)
                return None
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except FileNotFoundError:
            pass  # the previous holder renamed or removed the file
        os.close(handle)


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Run the body of the `with` statement while no other program holds the lock on `path`.

    If the lock cannot be acquired within 10 s, the body runs without it.

    Args:
        path: A lock file beside the files that the body changes. It is deleted afterwards,
            except on Windows.
    """
    handle = _wait_for_lock(path)
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):  # Windows cannot remove an open file
                path.unlink()
            os.close(handle)


def _wait_for_lock(path: Path) -> int | None:
    """Wait for the lock; return None if it cannot be acquired."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            handle = open_locked(path)
        except OSError:
            return None  # the caller reports the error when it writes
        if handle is not None:
            return handle
        time.sleep(_POLL_S)
    return None
