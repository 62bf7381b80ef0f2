"""The job that the command line and the window run: track one input into its files."""

from __future__ import annotations

import contextlib
import platform
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.attributes.attribute_registry import plugin_attributes
from steadymark.engine.core.errors import SinkError, SteadymarkError
from steadymark.engine.core.protocols import more_paths
from steadymark.engine.core.version import version
from steadymark.engine.expressions.expression_settings import AS_MEASURED, ExpressionSettings
from steadymark.engine.face3d.face_at_rest import settings_of_recording
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.csv.whole_recording import table_sink
from steadymark.engine.output.output_paths import (
    face_files_there,
    interrupted,
    make_folder,
    move_files,
    other_face_files,
    output_stem,
    partial_of,
)
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.pipeline.fingerprint import (
    Fingerprint,
    fingerprint,
    reason_to_track_again,
    refusal,
    source_digest,
)
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineReport, PipelineState
from steadymark.engine.sources import CameraMode, open_source
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.input_paths import input_name, shown_input
from steadymark.engine.sources.resolve_input import image_order, recording_path
from steadymark.engine.stabilizers.filter_runner import offline_filter
from steadymark.engine.streaming.sender import Senders
from steadymark.engine.tracking.settings import make_tracker, plain_settings, settings_for_images
from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from steadymark.engine.core.image_order import ImageOrder
    from steadymark.engine.core.protocols import FrameSource, Sink
    from steadymark.engine.core.types import CutOff, SourceInfo
    from steadymark.engine.streaming.targets import StreamTarget
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where results are written, and what happens to existing ones.

    `csv` names the table's format, see `TABLE_FORMATS`. `overwrite` replaces existing results, and
    `resume` keeps those that are up to date. `drawings` names the face attributes that are drawn
    into the video. `send` lists the targets of live results. `expressions` applies to what is sent
    and to files of animations. Files are written in `work_folder`, on the same disk, and then
    moved, so that several programs can track the same input.
    """

    folder: Path
    csv: str = "native"
    video: bool = False
    overwrite: bool = False
    resume: bool = False
    drawings: tuple[str, ...] = ()
    work_folder: Path | None = None
    send: tuple[StreamTarget, ...] = ()
    expressions: ExpressionSettings = AS_MEASURED

    @property
    def style(self) -> str:
        """The table's format with all that its values depend on besides tracking."""
        if not TABLE_FORMATS.find(self.csv).animation or self.expressions == AS_MEASURED:
            return self.csv
        return f"{self.csv} {self.expressions}"

    def drawing(self, schema: LandmarkSchema) -> DrawOptions:
        """Return what is drawn into the video."""
        return DrawOptions(attributes=self.drawings, schema=schema.name)

    def drawn(self, schema: LandmarkSchema) -> str:
        """Return the drawing as text, see `Fingerprint.drawn`; empty if there is no video."""
        return self.drawing(schema).as_text if self.video else ""


@dataclass(frozen=True, slots=True)
class InputSettings:
    """The part of a file to track in seconds, its decoding, the camera mode, the image order."""

    start_s: float | None = None
    end_s: float | None = None
    camera: CameraMode | None = None
    decoding: DecodeSettings = AS_STORED
    images: ImageOrder | None = None


@dataclass(frozen=True, slots=True)
class JobReport:
    """The result of one job.

    `error` is a sentence, or None if nothing failed. `notes` holds what the source reported and
    skipped. `refused` means that nothing was done to spare existing files. `cut_off` is set if the
    file was cut off. `began` and `ended` are UTC times in ISO 8601, empty without tracking.
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
    fingerprint: Fingerprint | None = None
    began: str = ""
    ended: str = ""


def header(
    info: SourceInfo,
    models: OpenModels,
    settings: TrackSettings,
    input_settings: InputSettings,
    *,
    source_sha256: str | None = None,
) -> Header:
    """Return the header of a table; a `source_sha256` of None is computed from the file.

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
        settings=_settings_for_header(
            models, settings, input_settings, info.image_order, live=info.live
        ),
        source_name=info.name,
        source_sha256=source_sha256,
        source_frames=info.frames,
    )


def _digests(models: OpenModels) -> dict[str, str]:
    return {card.name: card.digest for card in models.cards}


def _settings_for_header(
    models: OpenModels,
    settings: TrackSettings,
    options: InputSettings,
    images: ImageOrder | None,
    *,
    live: bool = False,
) -> dict[str, object]:
    part = {"start_s": options.start_s, "end_s": options.end_s, "camera": options.camera}
    more = {**options.decoding.told, **plugin_attributes(), "device_used": models.device}
    order = {} if images is None else {"images": str(images)}
    more |= {} if live else settings_of_recording(models.schema.name, images)
    return {**plain_settings(settings_for_images(settings, images)), **part, **order, **more}


def result_files(stem: str, output: OutputSettings) -> list[Path]:
    """Return the files that tracking will write, the table first."""
    ends = (TABLE_FORMATS.find(output.csv).suffix, ".mp4")[: 1 + output.video]
    return [output.folder / f"{stem}{end}" for end in ends]


@dataclass(frozen=True, slots=True)
class _Work:
    """A source to track, its result files, and the contents of their header."""

    source: FrameSource
    files: list[Path]
    header: Header
    fingerprint: Fingerprint
    notes: tuple[UserText, ...]


def _start_pipeline(
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
    settings = settings_for_images(settings, info.image_order)
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
    table, *video = [(output.work_folder or output.folder) / path.name for path in work.files]
    sinks: list[Sink] = [table_sink(table, work.header, schema, output.csv, offline)]
    original = info.path if not info.image_names and Path(info.path).is_file() else None
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
    options: InputSettings,
    name_of: Callable[[str], str],
    indexed: Fingerprint | None,
    in_index: bool,
) -> _Work | JobReport:
    """Check for existing results and open the source, or return a report if there is no work.

    `name_of` returns the stem for a source's name. For `indexed` and `in_index`, see `run_job`.

    Raises:
        SteadymarkError: The input cannot be tracked.
    """
    path = recording_path(text)
    drawn = output.drawn(models.schema)
    digest: str | None = None
    notes: tuple[UserText, ...] = ()
    files: list[Path] = []
    if path is not None:
        files = result_files(name_of(input_name(path)), output)
        if output.resume and all(file.exists() for file in files):
            digest = source_digest(path)
            order = image_order(path, options.images)
            header_settings = _settings_for_header(models, settings, options, order)
            current = fingerprint(digest, _digests(models), header_settings, output.style, drawn)
            reason = reason_to_track_again(files, current, output.csv, indexed)
            if reason is None:
                return JobReport(
                    input_name(path), tuple(map(str, files)), skipped=True, fingerprint=current
                )
            notes = (reason,)
        elif output.resume and any(interrupted(file) for file in files):
            notes = (
                UserText("tracking was interrupted before, and starts again from the beginning"),
            )
    span = {"start_s": options.start_s, "end_s": options.end_s}
    source = open_source(
        text, **span, camera=options.camera, decoding=options.decoding, images=options.images
    )
    try:
        files = files or result_files(name_of(source.info.name), output)
        refused = _refused_report(source.info, files, output, in_index)
        if refused is not None:
            source.close()
            return refused
        measured = header(source.info, models, settings, options, source_sha256=digest)
        head = replace(measured, expressions=output.expressions)
    except SteadymarkError:
        source.close()
        raise
    current = fingerprint(head.source_sha256, head.models, head.settings, output.style, drawn)
    return _Work(source, files, head, current, notes)


def _refused_report(
    info: SourceInfo, files: list[Path], output: OutputSettings, in_index: bool
) -> JobReport | None:
    """Return a report if files exist that may not be replaced, otherwise None."""
    existing = [path for path in files if path.exists()]
    if TABLE_FORMATS.find(output.csv).one_per_face:
        existing += face_files_there(files[0])
    if output.overwrite or not existing:
        return None
    if output.resume and info.live:  # the frames of a camera cannot be recorded again
        return JobReport(info.name, tuple(map(str, existing)), skipped=True)
    fault = refusal(existing, resume=output.resume, in_index=in_index)
    return None if fault is None else JobReport(info.name, error=fault, refused=True)


def run_job(
    text: str,
    models: OpenModels,
    settings: TrackSettings,
    output: OutputSettings,
    *,
    input_settings: InputSettings = InputSettings(),
    used_stems: set[str],
    stem: str | None = None,
    indexed: Fingerprint | None = None,
    in_index: bool = True,
    stop: Event,
    on_progress: Callable[[SourceInfo, PipelineReport], None] = lambda *_: None,
    progress_s: float = 0.1,
) -> JobReport:
    """Track one input. Errors are returned in the report; only a KeyboardInterrupt is raised.

    `stem` is the file stem of the results; None chooses one that is not in `used_stems`. `indexed`
    is the index's fingerprint of complete results. `in_index` tells whether it lists this stem.
    """

    def name_of(name: str) -> str:
        return stem or output_stem(name, used_stems)

    started_at = now_utc()
    try:
        work = _prepare(text, models, settings, output, input_settings, name_of, indexed, in_index)
    except SteadymarkError as error:
        return JobReport(shown_input(text), error=error.sentence)
    if isinstance(work, JobReport):
        return work
    info = work.source.info
    senders = Senders(output.send, output.expressions)
    try:
        pipeline, sinks = _start_pipeline(work, models, settings, output, senders)
    except SteadymarkError as error:
        senders.close()
        work.source.close()
        return JobReport(info.name, error=error.sentence, fingerprint=work.fingerprint)
    while not pipeline.wait(progress_s):
        on_progress(info, pipeline.report)
        if stop.is_set():
            pipeline.stop()
            break
    report = pipeline.report
    on_progress(info, report)
    sink_notes = [note for s in sinks if isinstance(s, AnnotatedVideoSink) for note in s.notes]
    if report.state is PipelineState.FINISHED and TABLE_FORMATS.find(output.csv).one_per_face:
        sink_notes += other_face_files(work.files[0], more_paths(sinks[0]))
    outputs, faults = _final_paths(sinks, work, report, output)
    return JobReport(
        info.name,
        outputs,
        report,
        models.device,
        join_texts(faults) or None,
        notes=(*work.notes, *info.notes, *report.problems, *sink_notes, *senders.close()),
        cut_off=info.cut_off,
        fingerprint=work.fingerprint,
        began=started_at,
        ended=now_utc(),
    )


def _final_paths(
    sinks: list[Sink], work: _Work, report: PipelineReport, output: OutputSettings
) -> tuple[tuple[str, ...], tuple[UserText, ...]]:
    """Return the final paths of the table and the video, and all errors."""
    faults = report.faults
    paths = tuple(str(sink.path) for sink in sinks if Path(sink.path).exists())
    if output.work_folder is not None:
        paths, moved = move_files(paths, output.folder)
        more = tuple(path for sink in sinks for path in more_paths(sink))
        faults += (*moved, *move_files(more, output.folder)[1])
    if report.state is PipelineState.FINISHED:
        for file in work.files:  # the complete file holds everything that the partial one does
            with contextlib.suppress(OSError):
                partial_of(file).unlink()
    return paths, faults


def now_utc() -> str:
    """Return the current time in UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
