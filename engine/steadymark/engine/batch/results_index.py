"""The results index `index.csv`: one row for every input whose results lie in a folder."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError, SteadymarkError
from steadymark.engine.core.file_lock import exclusive_lock
from steadymark.engine.output.output_paths import PARTIAL, cannot_write, output_stem
from steadymark.engine.pipeline.fingerprint import Fingerprint
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.sources.input_paths import shown_input
from steadymark.engine.sources.resolve_input import absolute
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import TextIO

    from steadymark.engine.pipeline.job import JobReport

NAME = "index.csv"
_LOCK = f".{NAME}.lock"
_LARGEST = 1 << 28  # Bytes; some hundred thousand rows.


class Outcome(StrEnum):
    """State of one input.

    SKIPPED means that an earlier run had finished it. DAMAGED means that the results are complete
    but those of a file that was cut off. RUNNING means that tracking began; if no
    program runs, it was interrupted.
    """

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    DAMAGED = "damaged"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One row of the index, as text; a field is empty when its value is unknown.

    Attributes:
        input: Absolute path or address of the input; see `absolute` and `shown_input`.
        state: An `Outcome`.
        table: File name of the landmark table in the index's folder.
        video: File name of the annotated video in the index's folder.
        frames: Number of frames processed.
        face_share: Share of these frames with a face, in [0, 1].
        lost_spans: Number of spans without a face.
        duration_s: Time of the last frame, in seconds.
        median_ms: Median tracking time per frame, in milliseconds.
        device: Device that ran the networks.
        error: What went wrong, or what a damaged file lacks, as a sentence.
        began_utc: When tracking began, in UTC.
        ended_utc: When tracking ended, in UTC.
        source_sha256: See Fingerprint.
        settings_sha256: See Fingerprint.
        models: See Fingerprint.
        drawn: See Fingerprint.
    """

    input: str
    state: str
    table: str = ""
    video: str = ""
    frames: str = ""
    face_share: str = ""
    lost_spans: str = ""
    duration_s: str = ""
    median_ms: str = ""
    device: str = ""
    error: str = ""
    began_utc: str = ""
    ended_utc: str = ""
    source_sha256: str = ""
    settings_sha256: str = ""
    models: str = ""
    drawn: str = ""

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Fingerprint of the complete results; None when there are none."""
        if self.state not in (Outcome.DONE, Outcome.SKIPPED, Outcome.DAMAGED):
            return None
        return Fingerprint(
            self.source_sha256 or None, self.settings_sha256, self.models, self.drawn
        )

    @property
    def stem(self) -> str:
        """File stem of the results."""
        return Path(self.table).stem.removesuffix(PARTIAL) if self.table else ""


_COLUMNS = tuple(field.name for field in fields(IndexEntry))
_FORMER_NAMES = {"face_share": "tracked_share"}  # columns of indexes that earlier versions wrote


class ResultsIndex:
    """The results index of one folder.

    Every change is written at once by replacing the whole file, so a killed program leaves a valid
    file. Rows of earlier runs and of other programs that run at the same time are kept.
    """

    def __init__(self, folder: Path) -> None:
        """Read the existing index.

        Args:
            folder: Folder of the results.

        Raises:
            SinkError: A file of that name is not an index, or it cannot be read.
        """
        self.path = folder / NAME
        self._unwritten: dict[str, IndexEntry] = {}
        self._entries: dict[str, IndexEntry] = {}
        self._refresh()

    @property
    def videos(self) -> frozenset[str]:
        """File names of the videos that tracking wrote."""
        return frozenset(entry.video for entry in self._entries.values() if entry.video)

    def find(self, text: str) -> IndexEntry | None:
        """Return the row of an input; None if there is none."""
        return self._entries.get(_key(text))

    def fingerprint_of(self, text: str, stem: str) -> Fingerprint | None:
        """Return the fingerprint of an input's complete results.

        Args:
            text: The input.
            stem: File stem of the results, which are found by it even if they were moved to this
                folder.

        Returns:
            The fingerprint; None if there are no complete results.
        """
        entry = self._find_by_input_or_stem(text, stem)
        return entry.fingerprint if entry else None

    def is_damaged(self, text: str, stem: str) -> bool:
        """Return whether an input's complete results are those of a file that was cut off."""
        entry = self._find_by_input_or_stem(text, stem)
        return entry is not None and entry.state == Outcome.DAMAGED

    def knows(self, stem: str) -> bool:
        """Return whether results with this file stem were written by tracking."""
        return any(entry.stem == stem for entry in self._entries.values())

    def _find_by_input_or_stem(self, text: str, stem: str) -> IndexEntry | None:
        named = (entry for entry in self._entries.values() if entry.stem == stem)
        return self.find(text) or next(named, None)

    def name_results(
        self, text: str, name: str, used_stems: set[str], reserved: Collection[str] = ()
    ) -> str:
        """Choose the file stem of an input's results: its earlier one, or a free one.

        Stems of the results of other inputs are not free as long as these inputs exist.

        Args:
            text: The input.
            name: File name of the input, from which a new stem is made.
            used_stems: Stems in lower case that are in use; the chosen stem is added.
            reserved: Stems of the other inputs' own names, in lower case.

        Returns:
            The stem.
        """
        key = _key(text)
        known = self._entries.get(key)
        if known and known.stem and known.stem.casefold() not in used_stems:
            used_stems.add(known.stem.casefold())
            return known.stem
        stems_of_others = {
            entry.stem.casefold()
            for entry in self._entries.values()
            if entry.stem and entry.input != key and os.path.lexists(entry.input)
        }
        unavailable: set[str] = used_stems | stems_of_others | {Path(NAME).stem}
        stem = output_stem(name, unavailable, reserved)
        used_stems.add(stem.casefold())
        return stem

    def begin(self, text: str, files: Sequence[str], began: str) -> None:
        """Record that tracking of an input has begun.

        Args:
            text: The input.
            files: Names of the result files: the table, and the annotated video if one is written.
            began: Time in UTC.

        Raises:
            SinkError: The index cannot be written.
        """
        table, video = (*files, "")[:2]
        self._put(IndexEntry(_key(text), Outcome.RUNNING, table, video, began_utc=began))

    def end(self, text: str, job: JobReport) -> None:
        """Record the result of an input.

        Args:
            text: The input.
            job: The report of its job.

        Raises:
            SinkError: The index cannot be written.
        """
        entry = _entry(text, job)
        previous = self._find_by_input_or_stem(text, entry.stem)
        if previous and previous.fingerprint and (job.skipped or job.refused):
            done = job.skipped and previous.state != Outcome.DAMAGED
            state = Outcome.SKIPPED if done else previous.state
            entry = replace(previous, input=_key(text), state=str(state))
        elif not entry.table and (earlier := self.find(text)):  # Earlier files may still exist.
            entry = replace(entry, table=earlier.table, video=earlier.video)
        self._put(entry)

    def _put(self, entry: IndexEntry) -> None:
        """Add a row and write the index; a result's name belongs to its latest input."""
        self._unwritten[entry.input] = entry
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with exclusive_lock(self.path.with_name(_LOCK)):
                self._refresh()
                for new in self._unwritten.values():
                    self._insert(new)
                self._write()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._unwritten.clear()

    def _insert(self, entry: IndexEntry) -> None:
        for other in list(self._entries.values()):
            if other.input != entry.input and other.stem and other.stem == entry.stem:
                del self._entries[other.input]
        self._entries[entry.input] = entry

    def _refresh(self) -> None:
        """Read the file again, because another program may have written it."""
        try:
            with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                if os.fstat(file.fileno()).st_size > _LARGEST:
                    raise _unreadable(self.path, UserText("it is too large"))
                self._entries = {entry.input: entry for entry in _read(file, self.path)}
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, csv.Error) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise _unreadable(self.path, why or str(error)) from error

    def _write(self) -> None:
        part = self.path.with_name(f"{NAME}.{os.getpid()}.part")
        try:
            with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
                writer.writeheader()
                for _, entry in sorted(self._entries.items()):
                    writer.writerow({name: getattr(entry, name) for name in _COLUMNS})
            part.replace(self.path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def _read(file: TextIO, path: Path) -> list[IndexEntry]:
    reader = csv.DictReader(file)
    if not {"input", "state", "settings_sha256"} <= set(reader.fieldnames or ()):
        raise _unreadable(path, UserText("it is not a results index"))
    return [
        IndexEntry(**{n: row.get(n) or row.get(_FORMER_NAMES.get(n, n)) or "" for n in _COLUMNS})
        for row in reader
        if row.get("input")
    ]


def _unreadable(path: Path, why: str) -> SteadymarkError:
    return SinkError(
        "{path}: {why}, but the list of results must be written to a file of "
        "that name: move it away, or choose another folder",
        path=path,
        why=why,
    )


def _entry(text: str, job: JobReport) -> IndexEntry:
    report, fingerprint = job.report, job.fingerprint
    names = {Path(output).suffix: Path(output).name for output in job.outputs}
    known = report.frames > 0
    return IndexEntry(
        input=_key(text),
        state=_outcome(job),
        table=next((name for suffix, name in names.items() if suffix != ".mp4"), ""),
        video=names.get(".mp4", ""),
        frames=str(report.frames) if known else "",
        face_share=f"{report.face_frames.share:.4f}" if known else "",
        lost_spans=str(report.lost_spans) if known else "",
        duration_s=f"{report.last_pts_s:.3f}" if known else "",
        median_ms=f"{report.median_ms:.2f}" if known else "",
        device=job.device,
        error=" ".join((job.error or (job.cut_off.sentence if job.cut_off else "")).split()),
        began_utc=job.began,
        ended_utc=job.ended,
        source_sha256=(fingerprint and fingerprint.source_sha256) or "",
        settings_sha256=fingerprint.settings_sha256 if fingerprint else "",
        models=fingerprint.models if fingerprint else "",
        drawn=fingerprint.drawn if fingerprint else "",
    )


def _key(text: str) -> str:
    return shown_input(absolute(text))


def _outcome(job: JobReport) -> Outcome:
    if job.skipped:
        return Outcome.SKIPPED
    if job.error or job.refused:
        return Outcome.FAILED
    stopped = job.report.state is PipelineState.STOPPED
    cut = stopped and any(Path(output).stem.endswith(PARTIAL) for output in job.outputs)
    if cut or (stopped and not job.outputs):
        return Outcome.PARTIAL
    return Outcome.DAMAGED if job.cut_off else Outcome.DONE
