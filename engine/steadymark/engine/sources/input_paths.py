"""Files, folders and patterns that an input text names."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from steadymark.engine.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".m2v",
    ".ts", ".mts", ".m2ts", ".3gp", ".3g2", ".ogv", ".gif", ".mxf", ".vob", ".asf", ".h264",
    ".264", ".h265", ".hevc", ".265", ".y4m", ".divx", ".mjpeg", ".mjpg", ".dv", ".nut", ".mod",
    ".tod", ".m2t", ".f4v", ".lrv", ".insv", ".qt", ".rm", ".rmvb", ".m1v", ".mpv", ".ogm", ".dav",
    ".trp", ".xvid", ".wtv", ".mk3d", ".av1", ".ivf",
))
IMAGE_SUFFIXES = frozenset((
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2", ".jpe",
    ".apng", ".heic", ".heif", ".avif",
))
# fmt: on
_BETWEEN_FILES = "\n"  # in the text of an input that is a list of image files
_NUMBERED = re.compile(r"%(0?\d*)d")


def is_pattern(path: Path) -> bool:
    """Return whether a path is a pattern that may match several files."""
    return glob.has_magic(str(path)) or _NUMBERED.search(path.name) is not None


def globbed(pattern: str) -> list[Path]:
    """Return the paths that match a glob pattern, in natural order."""
    # Path.glob does not support absolute patterns.
    return sorted(map(Path, glob.glob(pattern, recursive=True)), key=natural)  # noqa: PTH207


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key for natural order, in which img2 comes before img10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts if p]


def files_of(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files with these suffixes directly in a folder; hidden files are ignored.

    Args:
        folder: The folder.
        suffixes: Suffixes in lower case, with the dot.

    Returns:
        The files in natural order.

    Raises:
        SourceError: The folder cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.name[0] != "."]
    except OSError as error:
        raise SourceError(
            "{folder} cannot be read ({reason}): allow access to it",
            folder=folder,
            reason=error.strerror,
        ) from error
    return sorted((p for p in found if p.is_file()), key=natural)


def matches(pattern: str) -> list[Path]:
    """Return the paths that match a glob or a numbered pattern, in natural order."""
    folder, name = os.path.split(pattern)
    numbered = _NUMBERED.search(name)
    if numbered is None:
        return globbed(pattern)
    digits = r"(\d+)" if not numbered[1] else rf"(\d{{{int(numbered[1])},}})"
    regex = re.compile(
        re.escape(name[: numbered.start()]) + digits + re.escape(name[numbered.end() :])
    )
    here = Path(folder)
    files = here.iterdir() if here.is_dir() else iter(())
    return sorted((p for p in files if regex.fullmatch(p.name)), key=natural)


def exists(path: Path) -> bool:
    """Return whether a file or folder exists.

    Args:
        path: The path to check.

    Returns:
        Whether it exists.

    Raises:
        SourceError: The path is not a valid file name.
    """
    try:
        return path.exists()
    except (OSError, ValueError) as error:
        raise SourceError(
            "{start}… cannot be the name of a file: shorten or correct it", start=path.name[:40]
        ) from error


def check_link(path: Path) -> None:
    """Refuse a link to a file that does not exist, or to itself.

    Args:
        path: A path that does not exist.

    Raises:
        SourceError: It is a link.
    """
    if path.is_symlink():
        raise SourceError(
            "{path} is a link that leads to no file: name the file itself, or correct the link",
            path=path,
        )


def check_regular(path: Path) -> None:
    """Refuse a pipe or a device, which would block and cannot be read twice.

    Args:
        path: An existing path.

    Raises:
        SourceError: It is neither a file nor a folder.
    """
    if path.is_fifo() or path.is_socket():
        raise SourceError(
            "{path} is a pipe, and a video is read several times: write it into a file, for "
            "example by 'cat {path} > video.mp4', and track the file",
            path=path,
        )
    if path.is_char_device():
        raise SourceError(
            "{path} is a device and not a file: a camera is opened as camera:{path}", path=path
        )


def plain(text: str) -> str:
    """Return a path without file:// and with ~ expanded."""
    if text.startswith("file://"):
        from urllib.request import url2pathname  # imports much

        return url2pathname(urlsplit(text).path)
    return str(Path(text).expanduser())


def image_list(files: Iterable[Path]) -> str:
    """Return the input that names these image files, which no folder and no pattern names."""
    paths = {Path(os.path.abspath(file)) for file in files}  # noqa: PTH100 - links stay as they are
    return _BETWEEN_FILES.join(map(str, sorted(paths, key=natural)))


def files_in_list(text: str) -> list[Path]:
    """Return the files of an input that `image_list` made; empty for other inputs."""
    if _BETWEEN_FILES not in text:
        return []
    files = [Path(line) for line in text.split(_BETWEEN_FILES)]
    is_list = all(file.is_absolute() and file.suffix.lower() in IMAGE_SUFFIXES for file in files)
    return files if is_list else []


def input_name(text: str) -> str:
    """Return the name of an input that is not live, from which its results are named.

    Patterns and lists of images are named after what their files' names have in common, or else
    after their folder.
    """
    files = files_in_list(text)
    if files:
        start = common_start([file.stem for file in files])
        folder = os.path.commonpath([file.parent for file in files])
    else:
        path = Path(plain(text))
        if not is_pattern(path) or exists(path):
            return path.name or path.absolute().name
        start = re.split(rf"[*?[]|{_NUMBERED.pattern}", path.name)[0]
        folder = str(path.parent.absolute())
    name = start.rstrip("0123456789").rstrip(" ._-([")
    return name or Path(folder).name or "images"


def common_start(names: Iterable[str]) -> str:
    """Return what all names begin with, up to a number or to the end of a word."""
    names = list(names)
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    start = "".join(letters[0] for letters in shared).rstrip("0123456789")
    if all(name[len(start) :][:1].isdecimal() for name in names):
        return start
    return re.sub(r"[^\W_]+$", "", start)


def shown_input(text: str) -> str:
    """Return a short text for an input in messages and lists; only lists of images are long."""
    files = files_in_list(text)
    if not files:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{files[0]} … {files[-1].name} ({len(files)} images, {digest})"


def image_files(text: str) -> list[Path]:
    """Return the image files of an input in natural order; empty if the input is a video."""
    if listed := files_in_list(text):
        return listed
    path = Path(plain(text))
    if path.is_dir():
        return [] if files_of(path, VIDEO_SUFFIXES) else files_of(path, IMAGE_SUFFIXES)
    if exists(path):
        return [path] if path.suffix.lower() in IMAGE_SUFFIXES else []
    fitting = (p for p in matches(str(path)) if p.suffix.lower() in IMAGE_SUFFIXES)
    return [p for p in fitting if not p.is_fifo()]
