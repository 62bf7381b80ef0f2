"""Locks of the system on files: they go with the process that holds them, however it ends.

Where there are none, as on some network disks, everything goes on as if nobody else wrote.
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

_LOOK_S = 0.01
_PATIENCE_S = 10.0  # a holder that was suspended must not hold up all others
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    _FAR = (1 << 31) - 2  # others may not even read what is locked: a byte that hardly exists

    def _lock(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
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
    """A file, made if it is not there, to be written by its holder alone until it is closed.

    None where another holds it. As it was: it is not emptied.

    Raises:
        OSError: it cannot be opened.
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
            pass  # who held it has renamed or removed it meanwhile
        os.close(handle)


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Programs that do this with the same path do it one after the other.

    path: of a file beside what they change; it is gone afterwards, but on Windows.
    """
    handle = _waited(path)
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):  # on Windows, nobody can remove an open file
                path.unlink()
            os.close(handle)


def _waited(path: Path) -> int | None:
    """None where there is no lock to be had: what is to be done is done without."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            handle = open_locked(path)
        except OSError:
            return None  # if nothing can be written there, who writes will tell
        if handle is not None:
            return handle
        time.sleep(_LOOK_S)
    return None
