"""One input tracked from start to end into its files: what the command line and the window run."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.errors import SinkError, SteadymarkError
from steadymark.engine.pipeline import Pipeline, PipelineReport
from steadymark.engine.recording.annotated_video import AnnotatedVideoSink
from steadymark.engine.recording.drawing import DrawOptions
from steadymark.engine.recording.native_csv import Header, NativeCsvSink
from steadymark.engine.recording.openface_csv import OpenFaceCsvSink
from steadymark.engine.recording.smoothed import SmoothedSink
from steadymark.engine.settings import make_tracker
from steadymark.engine.sources import CameraMode, open_source
from steadymark.engine.stabilizing import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from steadymark.engine.ports import FrameSource, Sink
    from steadymark.engine.settings import Models, TrackSettings
    from steadymark.engine.types import SourceInfo

CSV_STYLES = ("native", "openface")


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where results go. overwrite and resume say what to do where a result is there already.

    axes: of the head, drawn into the video.
    """

    folder: Path
    csv: str = "native"
    video: bool = False
    overwrite: bool = False
    resume: bool = False
    axes: bool = False


@dataclass(frozen=True, slots=True)
class InputSettings:
    """start_s, end_s: the part of a file to track; camera: the mode to ask a camera for."""

    start_s: float | None = None
    end_s: float | None = None
    camera: CameraMode | None = None


@dataclass(frozen=True, slots=True)
class JobReport:
    """What came of one input.

    error: a sentence, None where all went well. notes: what the source said of itself, and what
    it passed over.
    """

    name: str
    outputs: tuple[str, ...] = ()
    report: PipelineReport = field(default_factory=PipelineReport)
    device: str = ""
    error: str | None = None
    skipped: bool = False
    notes: tuple[str, ...] = ()


def version() -> str:
    """Of the installed distribution."""
    try:
        return metadata.version("steadymark")
    except metadata.PackageNotFoundError:
        return "0+checkout"


def header(
    info: SourceInfo, models: Models, settings: TrackSettings, wish: InputSettings
) -> Header:
    """What a CSV says of how it was made."""
    packages = ("numpy", "opencv-python-headless", "av", "onnxruntime-gpu", "onnxruntime")
    versions = {"steadymark": version(), "python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return Header(
        versions=versions,
        models={card.name: card.sha256 for card in models.cards},
        settings={
            **asdict(settings),
            "start_s": wish.start_s,
            "end_s": wish.end_s,
            "camera": wish.camera,
            "device_used": models.device,
        },
        source_name=info.name,
        source_sha256=_digest(Path(info.path)),
    )


def _digest(path: Path) -> str | None:
    """SHA-256 of a file; None for folders, cameras and streams."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def output_stem(info: SourceInfo, taken: set[str]) -> str:
    """A file name for a source's results that no earlier input of this run has taken."""
    plain = Path(info.name).stem or "source"
    stem = "".join(c if c.isalnum() or c in "-_. ()" else "_" for c in plain).strip() or "source"
    number, unique = 2, stem
    while unique.casefold() in taken:
        unique, number = f"{stem}-{number}", number + 1
    taken.add(unique.casefold())
    return unique


def _result_files(info: SourceInfo, output: OutputSettings, taken: set[str]) -> list[Path]:
    """The files that tracking this source will make, the table first."""
    stem = output_stem(info, taken)
    return [output.folder / f"{stem}{end}" for end in (".csv", ".mp4")[: 1 + output.video]]


def _begin(
    source: FrameSource,
    files: list[Path],
    models: Models,
    settings: TrackSettings,
    output: OutputSettings,
    wish: InputSettings,
) -> tuple[Pipeline, list[Sink]]:
    """Start tracking a source into its files.

    Raises:
        SinkError: results are there already and may not be replaced, or files cannot be made.
    """
    there = [path for path in files if path.exists()]
    if there and not (output.overwrite or output.resume):
        raise SinkError(
            f"{there[0]} exists already: use --overwrite to replace it, "
            "or --resume to keep it and go on with the other files"
        )
    offline = settings.stabilizer == OFFLINE
    if offline and (output.video or source.info.live):
        what = "--video draws each as it comes" if output.video else "a live source has none yet"
        raise SinkError(
            f"butterworth looks at frames to come, and {what}: choose convlstm or one-euro"
        )
    _make_folder(output.folder)
    facts = header(source.info, models, settings, wish)
    table, *video = files

    def make(path: Path) -> Sink:
        if output.csv == "openface":
            return OpenFaceCsvSink(path)
        return NativeCsvSink(path, facts)

    sinks: list[Sink] = [
        SmoothedSink(table, make, settings.butterworth) if offline else make(table),
    ]
    original = source.info.path if Path(source.info.path).is_file() else None
    drawn = DrawOptions(axes=output.axes)
    sinks += [AnnotatedVideoSink(path, original, drawn) for path in video]
    pipeline = Pipeline(source, make_tracker(models, settings), sinks)
    pipeline.start()
    return pipeline, sinks


def run_job(
    text: str,
    models: Models,
    settings: TrackSettings,
    output: OutputSettings,
    *,
    wish: InputSettings = InputSettings(),
    taken: set[str],
    stop: Event,
    on_progress: Callable[[SourceInfo, PipelineReport], None] = lambda *_: None,
    progress_s: float = 0.1,
) -> JobReport:
    """Track one input. Faults end in the report; only a KeyboardInterrupt gets out."""
    try:
        source = open_source(text, start_s=wish.start_s, end_s=wish.end_s, camera=wish.camera)
    except SteadymarkError as error:
        return JobReport(text, error=str(error))
    info = source.info
    files = _result_files(info, output, taken)
    if output.resume and all(path.exists() for path in files):
        source.close()
        return JobReport(info.name, tuple(map(str, files)), skipped=True)
    try:
        pipeline, sinks = _begin(source, files, models, settings, output, wish)
    except SteadymarkError as error:
        source.close()
        return JobReport(info.name, error=str(error))
    while not pipeline.wait(progress_s):
        on_progress(info, pipeline.report)
        if stop.is_set():
            pipeline.stop()
            break
    report = pipeline.report
    on_progress(info, report)
    outputs = tuple(str(sink.path) for sink in sinks)
    return JobReport(
        info.name,
        outputs,
        report,
        models.device,
        "; ".join(report.faults) or None,
        notes=(*info.notes, *report.problems),
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"the output folder {folder} cannot be made ({error.strerror}): "
            "choose another with --out"
        ) from error
