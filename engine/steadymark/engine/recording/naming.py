"""The names an output goes by: temporary while written, then final, or marked partial."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from steadymark.engine.errors import SinkError
from steadymark.models.sentence import Sentence

if TYPE_CHECKING:
    from pathlib import Path

    from av import FFmpegError

PARTIAL = ".partial"  # between stem and suffix
_REASONS = {
    errno.ENOSPC: Sentence("the disk is full: free some space and record again"),
    errno.EDQUOT: Sentence("the disk quota is used up: free some space and record again"),
    errno.EACCES: Sentence("no permission to write there: choose another folder"),
    errno.EPERM: Sentence("no permission to write there: choose another folder"),
    errno.EROFS: Sentence("the disk is read-only: choose another folder"),
    errno.ENOENT: Sentence("the folder does not exist: create it or choose another"),
    errno.ENOTDIR: Sentence("its folder is a file: choose another folder"),
    errno.EISDIR: Sentence("there is a folder of that name: choose another name"),
    errno.ENAMETOOLONG: Sentence("the name is too long: choose a shorter one"),
}


def part_of(path: Path) -> Path:
    """Where `path` lies while it is being written."""
    return path.with_name(f"{path.name}.part")


def partial_of(path: Path) -> Path:
    """Where an output that stopped before its end is kept."""
    return path.with_name(f"{path.stem}{PARTIAL}{path.suffix}")


def was_left(path: Path) -> bool:
    """Whether an output of this name was begun and not ended."""
    return part_of(path).exists() or partial_of(path).exists()


def keep_left(path: Path) -> None:
    """What a live source left unfinished under these names never comes again: it is put aside.

    Raises:
        SinkError: the file system refuses.
    """
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
    """Rename the temporary file to its final name and return that.

    Raises:
        SinkError: the file system refuses; the temporary file stays.
    """
    final = path if complete else partial_of(path)
    try:
        part_of(path).replace(final)
    except OSError as error:
        raise cannot_write(final, error) from error
    return final


def cannot_write(path: Path, error: OSError | FFmpegError) -> SinkError:
    """One sentence for a failed write."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return SinkError("cannot write {path}: {reason}", path=path, reason=reason)
