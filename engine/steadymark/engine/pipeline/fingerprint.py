"""What a result was made of, and so whether it has to be made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import LandmarkFileError, SourceError
from steadymark.engine.output.csv.columns import read_head
from steadymark.engine.output.csv.row_parsing import lines_of, open_text
from steadymark.engine.sources.input_paths import image_files
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NO_SETTING = "device_used"  # it may differ where the same was asked for


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Equal where tracking again would give the same files.

    source_sha256: None for cameras. settings_sha256: of all settings, the part of the source and
    the style of the table. models: `NAME:SHA-256`, joined by blanks. drawn: into the video, see
    `DrawOptions.told`; empty where there is none.
    """

    source_sha256: str | None
    settings_sha256: str
    models: str
    drawn: str = ""

    @property
    def table(self) -> Fingerprint:
        """Of the table alone."""
        return replace(self, drawn="")


def fingerprint(
    source_sha256: str | None,
    models: Mapping[str, str],
    settings: Mapping[str, object],
    csv: str,
    drawn: str = "",
) -> Fingerprint:
    """From what a table's header says, the table's style, and what is drawn into the video."""
    chosen = {name: value for name, value in settings.items() if name != _NO_SETTING}
    text = json.dumps({**chosen, "csv": csv}, sort_keys=True, default=str)
    return Fingerprint(
        source_sha256,
        hashlib.sha256(text.encode()).hexdigest(),
        " ".join(f"{name}:{digest}" for name, digest in models.items()),
        drawn,
    )


def source_digest(path: str) -> str | None:
    """SHA-256 of a file, or of the names and bytes of an image sequence; None of all else.

    Raises:
        SourceError: a file cannot be read.
    """
    try:
        if Path(path).is_file():
            return _file_digest(Path(path))
        pictures = hashlib.sha256()
        files = image_files(path)
        for file in files:
            pictures.update(f"{_file_digest(file)} {file.name}\n".encode("utf-8", "replace"))
    except OSError as error:
        raise SourceError(
            "{path} cannot be read ({reason}): check it", path=path, reason=error.strerror
        ) from error
    return pictures.hexdigest() if files else None


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def why_again(
    files: Sequence[Path], made: Fingerprint, csv: str, before: Fingerprint | None
) -> UserText | None:
    """What says that results, which are all there, must be made again; None where they are done.

    files: the table first. A native table says itself how it was made. Of other files, only the
    index knows: before, what it says of them if they are complete.
    """
    found = [told_by(files[0])] if csv == "native" else []
    if csv != "native" or len(files) > 1:
        found.append(before)
    if None in found:
        return UserText("how its results were made is not known: tracked anew")
    if any(f is not None and f.source_sha256 != made.source_sha256 for f in found):
        return UserText("the file has changed since it was tracked: tracked anew")
    if any(f is not None and f.table != made.table for f in found):
        return UserText("settings or models differ from those it was tracked with: tracked anew")
    if made.drawn and (before is None or before.drawn != made.drawn):
        return UserText("what was drawn into its video differs, or is not known: tracked anew")
    return None


def refusal(there: Sequence[Path], *, resume: bool, known: bool) -> UserText | None:
    """What says that files which are there may not be replaced; None where they are results.

    known: the index says that tracking made them.
    """
    if not resume:
        return UserText(
            "{path} exists already: use --overwrite to replace it, or --resume to keep it and go "
            "on with the other files",
            path=there[0],
        )
    foreign = [path for path in there if path.suffix != ".csv" or told_by(path) is None]
    if known or not foreign:
        return None
    return UserText(
        "{path} is there, and nothing tells that it was tracked: use --overwrite to replace it, "
        "or choose another folder",
        path=foreign[0],
    )


def told_by(table: Path) -> Fingerprint | None:
    """What the header of a native table says; None where there is none."""
    try:
        with open_text(table) as file:
            header = read_head(lines_of(file)).header
    except (LandmarkFileError, OSError):
        return None
    parts = [header.get(name) for name in ("source", "models", "settings")]
    source, models, settings = (part if isinstance(part, dict) else None for part in parts)
    if source is None or models is None or settings is None:
        return None
    return fingerprint(source.get("sha256"), models, settings, "native")
