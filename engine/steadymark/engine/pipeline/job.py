"""The job that the command line and the window run: track one input into its files."""

from __future__ import annotations

import contextlib
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.attributes.attribute_registry import told_attributes
from steadymark.engine.core.errors import SinkError, SteadymarkError
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.csv.offline_filter import OfflineFilterSink
from steadymark.engine.output.output_paths import cannot_write, output_stem, partial_of, was_left
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.pipeline.fingerprint import (
    Fingerprint,
    fingerprint,
    refusal,
    source_digest,
    why_again,
)
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineReport, PipelineState
from steadymark.engine.sources import CameraMode, open_source
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.resolve_input import recording_path
from steadymark.engine.stabilizers.filter_runner import offline_filter
from steadymark.engine.streaming.sender import Senders
from steadymark.engine.tracking.settings import make_tracker, plain_settings
from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from steadymark.engine.core.protocols import FrameSource, Sink
    from steadymark.engine.core.types import CutOff, SourceInfo
    from steadymark.engine.streaming.targets import StreamTarget
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where results are written (`folder`), and what happens to existing ones.

    overwrite replaces existing results; resume keeps those that are up to date. drawings names the
    face attributes to draw into the video. Files are written in aside, on the same disk, and then
    moved, so that several programs can track the same input. csv names the table's format, see
    `TABLE_FORMATS`. send lists the targets of live results.
    """

    folder: Path
    csv: str = "native"
    video: bool = False
    overwrite: bool = False
    resume: bool = False
    drawings: tuple[str, ...] = ()
    aside: Path | None = None
    send: tuple[StreamTarget, ...] = ()

    def drawing(self, schema: LandmarkSchema) -> DrawOptions:
        """Return what is drawn into the video."""
        return DrawOptions(attributes=self.drawings, schema=schema.name)

    def drawn(self, schema: LandmarkSchema) -> str:
        """Return the drawing as text, see `Fingerprint.drawn`; empty if there is no video."""
        return self.drawing(schema).told if self.video else ""


@dataclass(frozen=True, slots=True)
class InputSettings:
    """The part of a file to track, start_s to end_s in seconds, its decoding, the camera mode."""

    start_s: float | None = None
    end_s: float | None = None
    camera: CameraMode | None = None
    decoding: DecodeSettings = AS_STORED


@dataclass(frozen=True, slots=True)
class JobReport:
    """The result of one job.

    error is a sentence, or None if all went well. notes hold what the source reported and skipped.
    refused means that nothing was done because existing files may not be replaced. cut_off is set
    if the file was cut off. began and ended are UTC times in ISO 8601, empty without tracking.
    """

    name: str
    outputs: tuple[str, ...] = ()
    report: PipelineReport = field(default_factory=PipelineReport)
    device: str = ""
    error: UserText | None = None
    skipped: bool = False
    notes: tuple[UserText, ...] = ()
    refused: bool = False
    cut_off: CutOff | None = None
    made: Fingerprint | None = None
    began: str = ""
    ended: str = ""


def version() -> str:
    """Return the version of the installed distribution."""
    try:
        return metadata.version("steadymark")
    except metadata.PackageNotFoundError:
        return "0+checkout"


def header(
    info: SourceInfo,
    models: OpenModels,
    settings: TrackSettings,
    wish: InputSettings,
    *,
    source_sha256: str | None = None,
) -> Header:
    """Return the header of a table; a source_sha256 of None is computed from the file.

    Raises:
        SourceError: The source cannot be read.
    """
    packages = ("numpy", "opencv-python-headless", "av", "onnxruntime-gpu", "onnxruntime")
    versions = {"steadymark": version(), "python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    if source_sha256 is None and not info.live:
        source_sha256 = source_digest(info.path)
    return Header(
        versions=versions,
        models=_digests(models),
        settings=_told_settings(models, settings, wish),
        source_name=info.name,
        source_sha256=source_sha256,
    )


def _digests(models: OpenModels) -> dict[str, str]:
    return {card.name: card.sha256 for card in models.cards}


def _told_settings(
    models: OpenModels, settings: TrackSettings, wish: InputSettings
) -> dict[str, object]:
    part = {"start_s": wish.start_s, "end_s": wish.end_s, "camera": wish.camera}
    return {
        **plain_settings(settings),
        **part,
        **wish.decoding.told,
        **told_attributes(),
        "device_used": models.device,
    }


def result_files(stem: str, output: OutputSettings) -> list[Path]:
    """Return the files that tracking will write, the table first."""
    ends = (TABLE_FORMATS.find(output.csv).suffix, ".mp4")[: 1 + output.video]
    return [output.folder / f"{stem}{end}" for end in ends]


@dataclass(frozen=True, slots=True)
class _Work:
    """A source to track, its result files, and the contents of their header."""

    source: FrameSource
    files: list[Path]
    facts: Header
    made: Fingerprint
    notes: tuple[UserText, ...]


def _begin(
    work: _Work,
    models: OpenModels,
    settings: TrackSettings,
    output: OutputSettings,
    senders: Senders,
) -> tuple[Pipeline, list[Sink]]:
    """Start the pipeline that tracks a source into its files and sends the results.

    Raises:
        SinkError: An output cannot be created, or the settings do not fit the source.
    """
    info = work.source.info
    offline = offline_filter(settings.chosen)
    if offline is not None and (output.video or output.send or info.live):
        what = UserText("--send sends each frame as soon as it is tracked")
        if output.video:
            what = UserText("--video draws each frame as soon as it is tracked")
        if info.live:
            what = UserText("a live source has no future frames")
        raise SinkError(
            "{name} needs future frames, and {what}: choose flow or one-euro",
            name=settings.stabilizer,
            what=what,
        )
    schema = models.schema
    table, *video = [(output.aside or output.folder) / path.name for path in work.files]

    def make(path: Path) -> Sink:
        return TABLE_FORMATS.find(output.csv).sink(path, work.facts, schema)

    sinks: list[Sink] = [OfflineFilterSink(table, make, offline) if offline else make(table)]
    original = info.path if Path(info.path).is_file() else None
    drawing = output.drawing(schema)
    sinks += [AnnotatedVideoSink(path, original, drawing) for path in video]
    make_folder(output.folder)
    tracker = make_tracker(models, settings)
    senders.open()
    pipeline = Pipeline(work.source, tracker, sinks, on_result=senders.offer)
    pipeline.start()
    return pipeline, sinks


def _prepare(
    text: str,
    models: OpenModels,
    settings: TrackSettings,
    output: OutputSettings,
    wish: InputSettings,
    name_of: Callable[[str], str],
    before: Fingerprint | None,
    known: bool,
) -> _Work | JobReport:
    """Check for existing results and open the source, or return a report if there is no work.

    `name_of` maps a source's name to its results' name. For `before` and `known`, see `run_job`.

    Raises:
        SteadymarkError: The input cannot be tracked.
    """
    path = recording_path(text)
    drawn = output.drawn(models.schema)
    digest: str | None = None
    notes: tuple[UserText, ...] = ()
    files: list[Path] = []
    if path is not None:
        files = result_files(name_of(Path(path).name), output)
        if output.resume and all(file.exists() for file in files):
            digest = source_digest(path)
            told = _told_settings(models, settings, wish)
            made = fingerprint(digest, _digests(models), told, output.csv, drawn)
            again = why_again(files, made, output.csv, before)
            if again is None:
                return JobReport(Path(path).name, tuple(map(str, files)), skipped=True, made=made)
            notes = (again,)
        elif output.resume and any(was_left(file) for file in files):
            notes = (
                UserText("tracking was interrupted before, and starts again from the beginning"),
            )
    source = open_source(
        text, start_s=wish.start_s, end_s=wish.end_s, camera=wish.camera, decoding=wish.decoding
    )
    try:
        files = files or result_files(name_of(source.info.name), output)
        unwanted = _unwanted(source.info, files, output, known)
        if unwanted is not None:
            source.close()
            return unwanted
        facts = header(source.info, models, settings, wish, source_sha256=digest)
    except SteadymarkError:
        source.close()
        raise
    made = fingerprint(facts.source_sha256, facts.models, facts.settings, output.csv, drawn)
    return _Work(source, files, facts, made, notes)


def _unwanted(
    info: SourceInfo, files: list[Path], output: OutputSettings, known: bool
) -> JobReport | None:
    """Return a report if files exist that may not be replaced, otherwise None."""
    there = [path for path in files if path.exists()]
    if output.overwrite or not there:
        return None
    if output.resume and info.live:  # the frames of a camera cannot be recorded again
        return JobReport(info.name, tuple(map(str, there)), skipped=True)
    fault = refusal(there, resume=output.resume, known=known)
    return None if fault is None else JobReport(info.name, error=fault, refused=True)


def run_job(
    text: str,
    models: OpenModels,
    settings: TrackSettings,
    output: OutputSettings,
    *,
    wish: InputSettings = InputSettings(),
    taken: set[str],
    stem: str | None = None,
    before: Fingerprint | None = None,
    known: bool = True,
    stop: Event,
    on_progress: Callable[[SourceInfo, PipelineReport], None] = lambda *_: None,
    progress_s: float = 0.1,
) -> JobReport:
    """Track one input. Errors are returned in the report; only a KeyboardInterrupt is raised.

    stem is the name of the results; None chooses one not in taken. before is the index's
    fingerprint of complete results; known tells whether the index lists results of this name.
    """

    def name_of(name: str) -> str:
        return stem or output_stem(name, taken)

    began = now_utc()
    try:
        work = _prepare(text, models, settings, output, wish, name_of, before, known)
    except SteadymarkError as error:
        return JobReport(text, error=error.sentence)
    if isinstance(work, JobReport):
        return work
    info = work.source.info
    senders = Senders(output.send)
    try:
        pipeline, sinks = _begin(work, models, settings, output, senders)
    except SteadymarkError as error:
        senders.close()
        work.source.close()
        return JobReport(info.name, error=error.sentence, made=work.made)
    while not pipeline.wait(progress_s):
        on_progress(info, pipeline.report)
        if stop.is_set():
            pipeline.stop()
            break
    report = pipeline.report
    on_progress(info, report)
    heard = [note for s in sinks if isinstance(s, AnnotatedVideoSink) for note in s.notes]
    outputs, faults = _settled(tuple(str(s.path) for s in sinks), work, report, output)
    return JobReport(
        info.name,
        outputs,
        report,
        models.device,
        join_texts(faults) or None,
        notes=(*work.notes, *info.notes, *report.problems, *heard, *senders.close()),
        cut_off=info.cut_off,
        made=work.made,
        began=began,
        ended=now_utc(),
    )


def _settled(
    paths: tuple[str, ...], work: _Work, report: PipelineReport, output: OutputSettings
) -> tuple[tuple[str, ...], tuple[UserText, ...]]:
    """Return the final paths of the files, and all errors."""
    faults = report.faults
    if output.aside is not None:
        paths, moved = _come_out(paths, output.folder)
        faults += tuple(moved)
    if report.state is PipelineState.FINISHED:
        for file in work.files:  # the complete file holds everything that the partial one does
            with contextlib.suppress(OSError):
                partial_of(file).unlink()
    return paths, faults


def _come_out(outputs: tuple[str, ...], folder: Path) -> tuple[tuple[str, ...], list[UserText]]:
    """Move the existing files to `folder`; return their new paths and the errors."""
    moved, faults = [], []
    for path in map(Path, outputs):
        try:
            if path.exists():
                moved.append(str(path.replace(folder / path.name)))
        except OSError as error:
            faults.append(cannot_write(folder / path.name, error).sentence)
    return tuple(moved), faults


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


def now_utc() -> str:
    """Return the current time in UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
