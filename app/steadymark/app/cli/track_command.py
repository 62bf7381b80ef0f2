"""`steadymark track`: tracks many inputs with a progress display and a summary."""

from __future__ import annotations

import math
import signal
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from rich.markup import escape

from steadymark.app.cli.progress import ProgressDisplay, progress_bars
from steadymark.app.cli.reports.track_summary import summary
from steadymark.app.cli.track_hints import hints
from steadymark.engine.attributes.attribute_registry import checked_drawings
from steadymark.engine.attributes.head_pose_attribute import AXES
from steadymark.engine.batch.job_planning import plan_jobs, split_results
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.batch.run_jobs import run_here, useful_processes
from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.core.gaze import GAZE
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.gaze.gaze_calibration import read_gaze_calibration
from steadymark.engine.output.output_paths import make_folder
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.pipeline.job import (
    InputSettings,
    JobReport,
    OutputSettings,
)
from steadymark.engine.sources.frame_conversion import DecodeSettings
from steadymark.engine.sources.input_paths import shown_input
from steadymark.engine.sources.live.camera import CameraMode
from steadymark.engine.sources.resolve_input import absolute, join_images, resolve_input
from steadymark.engine.streaming.targets import parse_target
from steadymark.engine.tracking.face_pass import MOST_FACES, TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.settings import TrackSettings, open_models
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer
    from steadymark.engine.streaming.targets import StreamTarget
    from steadymark.models.user_text import UserText


def parse_time(text: str | None) -> float | None:
    """Parse seconds, mm:ss or hh:mm:ss, with decimals, to seconds.

    Raises:
        UsageError: The text is not a time.
    """
    if text is None:
        return None
    seconds = 0.0
    if text.count(":") > 2:
        raise UsageError(f"'{text}' has frames, as a timecode has: write hh:mm:ss.sss instead")
    try:
        for part in text.split(":"):
            value = float(part)
            if not 0 <= value < float("inf"):
                raise ValueError
            seconds = seconds * 60 + value
    except ValueError as error:
        raise UsageError(f"'{text}' is no time: write seconds, mm:ss or hh:mm:ss") from error
    return seconds


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """The checked options of `steadymark track`."""

    settings: TrackSettings
    input_settings: InputSettings


def track_options(
    *,
    csv: str,
    recentre: str,
    start_time: str | None,
    end_time: str | None,
    camera_mode: str | None,
    stabilizer: str,
    filters: tuple[ChosenStabilizer, ...],
    device: str,
    threshold: float | None,
    max_faces: int,
    look_every: int,
    focal_px: float | None,
    gaze_calibration: Path | None = None,
    pupils: bool,
    model: str,
    detector: str,
    deinterlace: bool,
    rotate_deg: int | None,
    independent: bool | None,
) -> TrackOptions:
    """Check the typed options. An empty model or detector means the default one.

    filters: The stabilizers whose parameters are given. independent: Whether image files are
    tracked alone, or as a sequence; None decides by their names and sizes. gaze_calibration: The
    file of a calibration; None for none.

    Raises:
        UsageError: A value is not valid, or values contradict each other.
    """
    if focal_px is not None and not 1 <= focal_px < math.inf:
        raise UsageError(f"--focal must be 1 pixel or more, not {focal_px:g}")
    TABLE_FORMATS.find(csv)
    if recentre not in tuple(Recentre):
        raise UsageError(f"unknown rule '{recentre}': choose fit or eyes")
    if not 1 <= max_faces <= MOST_FACES:
        raise UsageError(f"--max-faces must be 1 to {MOST_FACES}, not {max_faces}")
    if gaze_calibration is not None and not pupils:
        raise UsageError("--gaze-calibration needs pupils: leave --no-pupils out, or the other")
    mode = CameraMode.parse(camera_mode) if camera_mode else None
    decoding = DecodeSettings(deinterlace, rotate_deg)
    images = None
    if independent is not None:
        images = ImageOrder.INDEPENDENT if independent else ImageOrder.SEQUENCE
    start_s, end_s = parse_time(start_time), parse_time(end_time)
    input_settings = InputSettings(start_s, end_s, mode, decoding, images)
    if input_settings.end_s is not None and input_settings.end_s <= (input_settings.start_s or 0):
        raise UsageError(f"--end {end_time} is not after --start {start_time or 0}")
    settings = TrackSettings(
        model=model or DEFAULT_MODEL,
        detector=detector or DEFAULT_DETECTOR,
        stabilizer=stabilizer,
        device=device,
        detector_threshold=threshold,
        tracker=TrackerConfig(
            max_faces=max_faces, look_every=look_every, recentre=Recentre(recentre)
        ),
        filters=filters,
        focal_px=focal_px,
        gaze_calibration=None
        if gaze_calibration is None
        else read_gaze_calibration(gaze_calibration),
        pupils=pupils,
    )
    return TrackOptions(settings, input_settings)


def video_drawings(
    names: Sequence[str], *, axes: bool, video: bool, pupils: bool
) -> tuple[str, ...]:
    """Return what is drawn into the video besides the landmarks.

    Args:
        names: Names of the drawings of face attributes.
        axes: Whether to draw the axes of the head.
        video: Whether there is a video.
        pupils: Whether pupils are found, without which there is no gaze.

    Returns:
        The names of the drawings.

    Raises:
        UsageError: There is no video to draw into, or a name is unknown or cannot be drawn.
    """
    for option, given in (("--axes", axes), ("--draw", names)):
        if given and not video:
            raise UsageError(
                "{option} draws into the video: add --video, or leave {option} out", option=option
            )
    if GAZE in names and not pupils:
        raise UsageError("--draw gaze needs the pupils: leave --no-pupils out")
    return checked_drawings((*names, AXES) if axes else names)


def send_targets(texts: Sequence[str]) -> tuple[StreamTarget, ...]:
    """Parse the targets of `--send`.

    Raises:
        UsageError: A target is not valid.
    """
    return tuple(dict.fromkeys(parse_target(text) for text in texts))


@dataclass(frozen=True, slots=True)
class JobPlacement:
    """Where the jobs run.

    Attributes:
        processes: The number of processes on this computer. None means a useful number.
        scheduler: The address of a Dask cluster that runs the jobs instead.

    Raises:
        UsageError: Both are given, or there are too few processes.
    """

    processes: int | None = None
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.scheduler and self.processes is not None:
            raise UsageError("--jobs is of this computer: a cluster has as many as it has workers")
        if self.processes is not None and self.processes < 1:
            raise UsageError(f"--jobs must be 1 or more, not {self.processes}")


def run_batch(
    inputs: Sequence[str],
    settings: TrackSettings,
    output: OutputSettings,
    input_settings: InputSettings,
    *,
    placement: JobPlacement = JobPlacement(),
    out: Console,
    err: Console,
) -> int:
    """Track all inputs and print a summary.

    Returns:
        The exit code: 0 if all inputs succeeded, 1 if some failed or were cut off, 2 if all failed,
            130 after an interruption.
    """
    if placement.scheduler and output.send:
        raise UsageError(
            "--send is of this computer, and not of a cluster's workers: leave one out"
        )
    models = open_models(settings)
    found = _expand(inputs)
    texts, reports = list(found.texts), list(found.faults)
    if output.send and len(texts) > 1:  # receivers cannot separate inputs
        raise UsageError("--send sends one input, and there are several: name one")
    if texts:
        make_folder(output.folder)
    index = ResultsIndex(output.folder)
    for report in reports:
        err.print(f"[red]error:[/red] {escape(str(report.error))}", soft_wrap=True)
    _print_skipped(found, err)
    jobs = plan_jobs(texts, settings, output, input_settings, index)
    stop = Event()
    with _stop_on_interrupt(stop), progress_bars(err) as progress:
        display = ProgressDisplay(progress, index, len(jobs))
        if placement.scheduler:
            from steadymark.engine.batch.dask_cluster import run_on_cluster

            run_on_cluster(jobs, placement.scheduler, display, stop)
        else:
            on_gpu = models.device != "cpu"
            count = useful_processes(placement.processes, texts, on_gpu=on_gpu)
            if count == 1:
                with closing(models):
                    run_here(jobs, models, display, stop)
            else:
                models.close()
                del models  # every worker process opens its own
                from steadymark.engine.batch.worker_processes import run_in_processes

                run_in_processes(jobs, count, open_models, display, stop)
    reports += display.reports
    out.print(summary(reports, output.folder, out.width))
    _print_hints(reports, settings, err)
    if stop.is_set():
        return 130
    return _exit_code(reports)


def _print_hints(reports: Sequence[JobReport], settings: TrackSettings, err: Console) -> None:
    for sentence in hints(reports, settings.tracker.max_faces):
        err.print(f"[yellow]note:[/yellow] {escape(sentence)}", soft_wrap=True)


def _exit_code(reports: Sequence[JobReport]) -> int:
    failed = sum(report.error is not None for report in reports)
    if failed and failed == len(reports):
        return 2
    return int(failed > 0 or any(report.cut_off for report in reports))


@dataclass(frozen=True, slots=True)
class _FoundInputs:
    """What the arguments name.

    Attributes:
        texts: The inputs.
        faults: A report for each invalid argument.
        left_out: What folders hold that is not tracked, and why.
        results: The number of skipped results of earlier runs.
    """

    texts: tuple[str, ...]
    faults: tuple[JobReport, ...]
    left_out: tuple[UserText, ...]
    results: int


def _expand(inputs: Sequence[str]) -> _FoundInputs:
    texts: dict[str, str] = {}  # each file is listed once, by its absolute path
    faults: list[JobReport] = []
    left_out: dict[UserText, None] = {}
    results: set[str] = set()
    for text in join_images(inputs):
        try:
            resolved = resolve_input(text)
        except SteadymarkError as error:
            faults.append(JobReport(shown_input(text), error=error.sentence))
            continue
        to_track, skipped = split_results(text, resolved.inputs)
        for one in to_track:
            texts.setdefault(absolute(one), one)
        results.update(map(absolute, skipped))
        left_out.update(dict.fromkeys(resolved.left_out))
    skipped_count = len(results - texts.keys())
    return _FoundInputs(tuple(texts.values()), tuple(faults), tuple(left_out), skipped_count)


def _print_skipped(found: _FoundInputs, err: Console) -> None:
    """Print which files of the inputs are not tracked, and why."""
    for sentence in found.left_out:
        err.print(f"[yellow]left out:[/yellow] {escape(sentence)}", soft_wrap=True)
    if found.results:
        words = (
            f"results of earlier runs are not tracked: {found.results} left out "
            "(name one to track it)"
        )
        err.print(f"[yellow]note:[/yellow] {words}", soft_wrap=True)


@contextmanager
def _stop_on_interrupt(stop: Event) -> Iterator[None]:
    """End the running jobs cleanly on Ctrl-C or SIGTERM.

    A second one ends the program immediately.
    """

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = [(s, signal.signal(s, handle)) for s in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
