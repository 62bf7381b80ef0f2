"""The videos and image sequences of a folder with its subfolders, and what is left out and why."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.input_paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES, natural
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

_RESULTS = frozenset((".csv", ".pts"))  # tables and ground truth, which are never inputs


@dataclass(frozen=True, slots=True)
class FolderContents:
    """What is in a folder.

    Attributes:
        inputs: Videos, and folders that hold only images, in natural order.
        left_out: One sentence per file or group of files that is not an input.
    """

    inputs: tuple[Path, ...]
    left_out: tuple[UserText, ...]


def folder_contents(folder: Path) -> FolderContents:
    """Search a folder and its subfolders; links to other folders are followed once.

    Args:
        folder: The folder.

    Returns:
        Its contents.

    Raises:
        SourceError: The folder itself cannot be read.
    """
    inputs: list[Path] = []
    left_out: list[UserText] = []
    seen: set[str] = set()
    to_search = [folder]
    while to_search:
        current = to_search.pop()
        real = os.path.realpath(current)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted((p for p in current.iterdir() if p.name[0] != "."), key=natural)
        except OSError as error:
            fault = SourceError(
                "{folder} cannot be read ({reason}): allow access to it",
                folder=current,
                reason=error.strerror,
            )
            if current == folder:
                raise fault from error
            left_out.append(fault.sentence)
            continue
        to_search += [entry for entry in entries if entry.is_dir()]
        found, reasons = _inputs_here(current, [entry for entry in entries if not entry.is_dir()])
        inputs += found
        left_out += reasons
    return FolderContents(tuple(sorted(inputs, key=natural)), tuple(left_out))


def _inputs_here(folder: Path, entries: list[Path]) -> tuple[list[Path], list[UserText]]:
    left_out = [
        UserText("{path} is a link to nothing", path=entry)
        for entry in entries
        if entry.is_symlink() and not entry.exists()
    ]
    files = [entry for entry in entries if entry.is_file()]
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if videos and images:
        left_out.append(
            UserText.counted(
                "1 image in {folder} is beside videos: name it to track it",
                "{count} images in {folder} are beside videos: name them to track them",
                count=len(images),
                folder=folder,
            )
        )
    known = {*videos, *images}
    others = Counter(
        file.suffix.lower() or file.name
        for file in files
        if file not in known and file.suffix.lower() not in _RESULTS
    )
    if others:
        shown = ", ".join(f"{count} × {suffix}" for suffix, count in sorted(others.items()))
        left_out.append(
            UserText(
                "files in {folder} that are neither videos nor images by their names: {shown}",
                folder=folder,
                shown=shown,
            )
        )
    return videos or ([folder] if images else []), left_out
