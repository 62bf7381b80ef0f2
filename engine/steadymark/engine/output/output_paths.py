"""Names of output files: temporary during writing, then final or marked as partial."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.file_lock import open_locked
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from av import FFmpegError

PARTIAL = ".partial"  # between stem and suffix
_OURS = (PARTIAL, ".smooth")  # stems of unfinished results end with these
_FACE = re.compile(r"(.+)_face[0-9]+")  # stems of the files of further faces
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


def output_stem(name: str, used_stems: set[str], reserved: Collection[str] = ()) -> str:
    """Choose a file name for the results of a source, and add it to `used_stems`.

    Args:
        name: Name of the source.
        used_stems: Names in use, in lower case.
        reserved: Names of other sources, in lower case, which this source gets only if its own
            name is the same.

    Returns:
        A name without suffix that was not in `used_stems`.
    """
    stem = _plain_stem(name)
    used_keys, reserved_keys = (
        set(map(comparison_key, used_stems)),
        set(map(comparison_key, reserved)),
    )
    number, unique = 2, stem
    while comparison_key(unique) in used_keys or (
        unique != Path(name).stem and comparison_key(unique) in reserved_keys
    ):
        unique, number = f"{stem}-{number}", number + 1
    used_stems.add(unique.casefold())
    return unique


def comparison_key(name: str) -> str:
    """Return what is equal for names that a file system may not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def part_of(path: Path) -> Path:
    """Return the temporary path of an output while it is being written."""
    return path.with_name(f"{path.name}.part")


def partial_of(path: Path) -> Path:
    """Return the path of an output that stopped before its end."""
    return path.with_name(f"{path.stem}{PARTIAL}{path.suffix}")


def face_file(path: Path, face_id: int) -> Path:
    """Return the path of the file of a further face, such as `talk_face3.csv`."""
    return path.with_stem(f"{path.stem}_face{face_id}")


def face_files_there(path: Path) -> list[Path]:
    """Return the existing files that have the names of further faces of an output."""
    try:
        names = sorted(path.parent.iterdir())
    except OSError:
        return []
    first = comparison_key(path.stem)
    return [
        each
        for each in names
        if each.suffix == path.suffix and stem_of_first_face(each.stem) == first
    ]


def other_face_files(path: Path, written: Iterable[str]) -> tuple[UserText, ...]:
    """Return a sentence for the user about files of further faces that were not written now.

    They are of an earlier run that found more faces, or of another video with such a name. So they
    are not removed.

    Args:
        path: The output.
        written: The files of further faces that were written now.

    Returns:
        The sentence, or nothing if there are no such files.
    """
    now = {Path(each).name for each in written}
    names = [each.name for each in face_files_there(path) if each.name not in now]
    if not names:
        return ()
    sentence = UserText(
        "there are also {files}, of an earlier run or another video: delete what you do not need",
        files=", ".join(names),
    )
    return (sentence,)


def stem_of_first_face(stem: str) -> str | None:
    """Return the stem, as `comparison_key`, of the output that a further face belongs to.

    Args:
        stem: The stem of a file, such as `talk_face3`.

    Returns:
        Such as `talk`; None if no further face has such a stem.
    """
    match = _FACE.fullmatch(comparison_key(stem))
    return None if match is None else match[1]


def interrupted(path: Path) -> bool:
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
            os.close(_locked_part(path))
            _keep_unfinished(path)
        handle = _locked_part(path)
        if os.fstat(handle).st_size:
            os.ftruncate(handle, 0)
    except OSError as error:
        raise cannot_write(path, error) from error
    return handle


def _locked_part(path: Path) -> int:
    handle = open_locked(part_of(path))
    if handle is None:
        raise SinkError(
            "{path} is being written by another program: wait until it has ended, or choose "
            "another folder",
            path=path,
        )
    return handle


def _keep_unfinished(path: Path) -> None:
    for unfinished in (partial_of(path), part_of(path)):
        if not unfinished.is_file() or not unfinished.stat().st_size:
            continue
        number = 2
        while (kept_path := partial_of(path.with_stem(f"{path.stem}-{number}"))).exists():
            number += 1
        try:
            unfinished.replace(kept_path)
        except OSError as error:
            raise cannot_write(kept_path, error) from error


def finish_part(path: Path, *, complete: bool) -> Path:
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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file of which there is always a complete one.

    Args:
        path: The file; an existing one stays as it is until the new one is complete.

    Yields:
        The path to write to, beside the file.

    Raises:
        SinkError: The file cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        yield new
        new.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create the folder of the results if it does not exist.

    Raises:
        SinkError: The folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            "the output folder {folder} cannot be created ({reason}): choose "
            "another one with --out",
            folder=folder,
            reason=error.strerror,
        ) from error


def move_files(outputs: tuple[str, ...], folder: Path) -> tuple[tuple[str, ...], list[UserText]]:
    """Move the existing files to `folder`; return their new paths and the errors."""
    moved, faults = [], []
    for path in map(Path, outputs):
        try:
            if path.exists():
                moved.append(str(path.replace(folder / path.name)))
        except OSError as error:
            faults.append(cannot_write(folder / path.name, error).sentence)
    return tuple(moved), faults
