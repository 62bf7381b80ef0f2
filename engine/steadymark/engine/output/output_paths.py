"""Names of output files: temporary during writing, then final or marked as partial."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.file_lock import open_locked
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Collection

    from av import FFmpegError

PARTIAL = ".partial"  # between stem and suffix
_OURS = (PARTIAL, ".smooth")  # stems of unfinished results end with these
_FORBIDDEN = frozenset('<>:"/\\|?*\x7f')
_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)))
)  # names that Windows does not allow for files
_REASONS = {
    errno.ENOSPC: UserText("the disk is full: free some space and record again"),
    errno.EDQUOT: UserText("the disk quota is used up: free some space and record again"),
    errno.EACCES: UserText("no permission to write there: choose another folder"),
    errno.EPERM: UserText("no permission to write there: choose another folder"),
    errno.EROFS: UserText("the disk is read-only: choose another folder"),
    errno.ENOENT: UserText("the folder does not exist: create it or choose another"),
    errno.ENOTDIR: UserText("a file has the name of its folder: choose another folder"),
    errno.EISDIR: UserText("there is a folder of that name: choose another name"),
    errno.ENAMETOOLONG: UserText("the name is too long: choose a shorter one"),
}


def _plain_stem(name: str) -> str:
    """Return a name without suffix in which each character is allowed in file names everywhere.

    Letters, marks, emoji and signs of all languages stay; only what Windows forbids is replaced.
    """
    stem = "".join("_" if c in _FORBIDDEN or ord(c) < 32 else c for c in Path(name).stem)
    stem = stem.strip().rstrip(".") or "source"
    if stem.casefold().endswith(_OURS) or stem.split(".")[0].casefold() in _DEVICES:
        stem += "_"
    return stem


def output_stem(name: str, taken: set[str], reserved: Collection[str] = ()) -> str:
    """Choose a file name for the results of a source, and add it to `taken`.

    Args:
        name: Name of the source.
        taken: Names in use, in lower case.
        reserved: Names of other sources, in lower case, which this source gets only if its own
            name is the same.

    Returns:
        A name without suffix that was not in `taken`.
    """
    stem = _plain_stem(name)
    used, kept = set(map(_compared, taken)), set(map(_compared, reserved))
    number, unique = 2, stem
    while _compared(unique) in used or (unique != Path(name).stem and _compared(unique) in kept):
        unique, number = f"{stem}-{number}", number + 1
    taken.add(unique.casefold())
    return unique


def _compared(name: str) -> str:
    """Return what is equal for names that a file system may not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def part_of(path: Path) -> Path:
    """Return the temporary path of an output while it is being written."""
    return path.with_name(f"{path.name}.part")


def partial_of(path: Path) -> Path:
    """Return the path of an output that stopped before its end."""
    return path.with_name(f"{path.stem}{PARTIAL}{path.suffix}")


def was_left(path: Path) -> bool:
    """Return whether an unfinished output of this name exists."""
    return part_of(path).exists() or partial_of(path).exists()


def open_part(path: Path, *, live: bool = False) -> int:
    """Create the empty temporary file of an output, and lock it for this program.

    Args:
        path: Final path of the output.
        live: Whether the source is live. Unfinished files of an earlier recording are then
            renamed, because a live source cannot be recorded again.

    Returns:
        A file descriptor that the caller closes.

    Raises:
        SinkError: The file cannot be created, or another program is writing it.
    """
    try:
        if live:
            os.close(_own_part(path))
            _keep_left(path)
        handle = _own_part(path)
        if os.fstat(handle).st_size:
            os.ftruncate(handle, 0)
    except OSError as error:
        raise cannot_write(path, error) from error
    return handle


def _own_part(path: Path) -> int:
    handle = open_locked(part_of(path))
    if handle is None:
        raise SinkError(
            "{path} is being written by another program: wait until it has ended, or choose "
            "another folder",
            path=path,
        )
    return handle


def _keep_left(path: Path) -> None:
    for left in (partial_of(path), part_of(path)):
        if not left.is_file() or not left.stat().st_size:
            continue
        number = 2
        while (aside := partial_of(path.with_stem(f"{path.stem}-{number}"))).exists():
            number += 1
        try:
            left.replace(aside)
        except OSError as error:
            raise cannot_write(aside, error) from error


def settle(path: Path, *, complete: bool) -> Path:
    """Rename the temporary file to its final or partial name.

    Args:
        path: Final path of the output.
        complete: Whether the output is complete.

    Returns:
        The new path.

    Raises:
        SinkError: The file cannot be renamed; the temporary file stays.
    """
    final = path if complete else partial_of(path)
    try:
        part_of(path).replace(final)
    except OSError as error:
        raise cannot_write(final, error) from error
    return final


def cannot_write(path: Path, error: OSError | FFmpegError) -> SinkError:
    """Return the error, with one sentence for the user, for a failed write."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return SinkError("cannot write {path}: {reason}", path=path, reason=reason)
