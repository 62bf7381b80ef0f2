"""The fingerprint of a result, which decides whether an input must be tracked again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import LandmarkFileError, SourceError
from steadymark.engine.output.csv.columns import read_head
from steadymark.engine.output.csv.row_parsing import lines_of, open_text
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.sources.input_paths import image_files
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NO_SETTING = "device_used"  # the device may differ although the same one was requested
_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Identifies the inputs of a result; equal fingerprints mean that tracking gives equal files.

    Attributes:
        source_sha256: SHA-256 of the source; None for cameras.
        settings_sha256: SHA-256 of all settings, the tracked part of the source and the table's
            style.
        models: `NAME:SHA-256` of each model, separated by spaces.
        drawn: What is drawn into the video (see `DrawOptions.told`); empty if there is no
            video.
    """

    source_sha256: str | None
    settings_sha256: str
    models: str
    drawn: str = ""

    @property
    def table(self) -> Fingerprint:
        """The fingerprint of the table alone."""
        return replace(self, drawn="")


def fingerprint(
    source_sha256: str | None,
    models: Mapping[str, str],
    settings: Mapping[str, object],
    csv: str,
    drawn: str = "",
) -> Fingerprint:
    """Compute a fingerprint.

    Args:
        source_sha256: SHA-256 of the source; None for cameras.
        models: SHA-256 of each model, by name.
        settings: The settings in the table's header.
        csv: Name of the table's format.
        drawn: What is drawn into the video.

    Returns:
        The fingerprint of results that are made with these inputs.
    """
    relevant = {name: value for name, value in settings.items() if name != _NO_SETTING}
    text = json.dumps({**relevant, "csv": csv}, sort_keys=True, default=str)
    return Fingerprint(
        source_sha256,
        hashlib.sha256(text.encode()).hexdigest(),
        " ".join(f"{name}:{digest}" for name, digest in models.items()),
        drawn,
    )


def source_digest(path: str, *, stop: Callable[[], bool] = lambda: False) -> str | None:
    """Return the SHA-256 of a file, or of the names and bytes of an image sequence.

    Args:
        path: A file, or an image sequence.
        stop: Returns whether the digest is no longer needed; it is asked for each MiB.

    Returns:
        The digest in hexadecimal, or None if `path` is neither of them, or if it was stopped.

    Raises:
        SourceError: A file cannot be read.
    """
    try:
        if Path(path).is_file():
            return _file_digest(Path(path), stop)
        pictures = hashlib.sha256()
        files = image_files(path)
        for file in files:
            digest = _file_digest(file, stop)
            if digest is None:
                return None
            pictures.update(f"{digest} {file.name}\n".encode("utf-8", "replace"))
    except OSError as error:
        raise SourceError(
            "{path} cannot be read ({reason}): check it", path=path, reason=error.strerror
        ) from error
    return pictures.hexdigest() if files else None


def _file_digest(path: Path, stop: Callable[[], bool]) -> str | None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            if stop():
                return None
            digest.update(part)
    return digest.hexdigest()


def reason_to_track_again(
    files: Sequence[Path], current: Fingerprint, csv: str, indexed: Fingerprint | None
) -> UserText | None:
    """Return why existing results must be made again, or None if they are up to date.

    Args:
        files: The existing result files, the table first. Steadymark's header holds the
            fingerprint. The fingerprint of files without it is only in the index.
        current: Fingerprint of the results that tracking would make now.
        csv: Name of the table's format.
        indexed: Fingerprint from the index, if the index lists the results as complete.

    Returns:
        A sentence for the user, or None.
    """
    has_header = TABLE_FORMATS.find(csv).has_header
    found = [fingerprint_of_table(files[0], csv)] if has_header else []
    if not has_header or len(files) > 1:
        found.append(indexed)
    if None in found:
        return UserText("it is not known how its results were computed: tracked again")
    if any(f is not None and f.source_sha256 != current.source_sha256 for f in found):
        return UserText("the file has changed since it was tracked: tracked again")
    if any(f is not None and f.table != current.table for f in found):
        return UserText("it was tracked with other settings or models: tracked again")
    if current.drawn and (indexed is None or indexed.drawn != current.drawn):
        return UserText("its video was drawn in another or unknown way: tracked again")
    return None


def refusal(existing: Sequence[Path], *, resume: bool, in_index: bool) -> UserText | None:
    """Return why existing files may not be replaced, or None if they are results of tracking.

    Args:
        existing: The existing files.
        resume: Whether the user asked to resume.
        in_index: Whether the index says that tracking made these files.

    Returns:
        A sentence for the user, or None.
    """
    if not resume:
        return UserText(
            "{path} exists already: use --overwrite to replace it, or --resume to keep it and go "
            "on with the other files",
            path=existing[0],
        )
    foreign = [
        path for path in existing if path.suffix != ".csv" or fingerprint_of_table(path) is None
    ]
    if in_index or not foreign:
        return None
    return UserText(
        "{path} exists, and no index says that it was tracked: use --overwrite "
        "to replace it, or choose another folder",
        path=foreign[0],
    )


def fingerprint_of_table(table: Path, csv: str = "native") -> Fingerprint | None:
    """Return the fingerprint in Steadymark's header, or None if the table has none.

    Args:
        table: The table.
        csv: Name of its format.
    """
    try:
        with open_text(table) as file:
            header = read_head(lines_of(file)).header
    except (LandmarkFileError, OSError):
        return None
    parts = [header.get(name) for name in ("source", "models", "settings")]
    source, models, settings = (part if isinstance(part, dict) else None for part in parts)
    if source is None or models is None or settings is None:
        return None
    return fingerprint(source.get("sha256"), models, settings, csv)
