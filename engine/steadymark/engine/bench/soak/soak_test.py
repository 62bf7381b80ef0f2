"""Soak test of the real pipeline: `steadymark bench soak`.

A looped video and then a network camera each run through the pipeline (source, tracker with its
stabilizer, sink) into a table. Then the video is tracked in one job after another, with an
annotated video as output.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.bench.soak.process_stats import ProcessStats
from steadymark.engine.bench.soak.soak_limits import (
    SoakFigure,
    SoakSample,
    growth_figures,
    soak_figures,
)
from steadymark.engine.bench.soak.soak_sources import LoopbackCamera, LoopedVideo, camera_jpegs
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.pipeline.job import JobReport, OutputSettings, run_job
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.sources.live.network_camera import NetworkCamera
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, make_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import TrackResult

_SAMPLES = 60  # Least number of samples per case.
_EVERY_S, _WARM_UP_S, _MOST_FPS = 5.0, 3.0, 2000
_JOIN_S = 5.0
_LEAST_FRAMES, _PATIENCE_S = (
    60,
    60.0,
)  # Least number of frames of a run, and how long to wait for them.
_WARM_UP_JOBS, _LEAST_JOBS = 3, 8
_ENCODER_MIB = 32.0  # Memory that varies with the frames that an encoder holds.
PARTS = 3  # Cases that share the time.


@dataclass(frozen=True, slots=True)
class SoakCase:
    """Result of one case of the soak test.

    Attributes:
        name: Name of the case.
        seconds: Duration.
        frames: Number of tracked frames.
        dropped: Number of dropped frames.
        samples: Samples of the run, in order.
        figures: Figures with their limits.
        faults: What went wrong, as sentences.
        problems: Problems of the source, as sentences.
    """

    name: str
    seconds: float
    frames: int
    dropped: int
    samples: tuple[SoakSample, ...]
    figures: tuple[SoakFigure, ...]
    faults: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all limits are kept and nothing went wrong."""
        return not self.faults and all(figure.passed for figure in self.figures)


@dataclass(frozen=True, slots=True)
class SoakSubject:
    """The source that is tracked in a case.

    Attributes:
        source: The source.
        due_s: Returns the expected PTS of a result, or for a camera when its image was sent, in
            seconds.
    """

    source: LoopedVideo | NetworkCamera
    due_s: Callable[[TrackResult], float]


def run_soak(
    path: Path,
    models: OpenModels,
    settings: TrackSettings,
    *,
    seconds: float,
    fps: float,
    folder: Path,
    more_sinks: Callable[[], Sequence[Sink]] = tuple,
    on_sample: Callable[[str, SoakSample], None] = lambda *_: None,
) -> list[SoakCase]:
    """Run the soak test: a third of the time each for the looped video, the camera and the jobs.

    Args:
        path: The video that is looped, and whose first frames the camera sends.
        models: The opened models.
        settings: Tracking settings.
        seconds: Total duration.
        fps: Frames per second of the camera.
        folder: Folder for the tables, which are kept.
        more_sinks: Creates additional sinks for video and camera.
        on_sample: Called with the case's name and each sample.

    Returns:
        One result per case.

    Raises:
        SteadymarkError: The video cannot be read, or a table cannot be written.
    """
    jpegs = camera_jpegs(path)

    @contextlib.contextmanager
    def looped() -> Iterator[SoakSubject]:
        video = LoopedVideo(path)
        yield SoakSubject(video, lambda result: video.due_s(result.frame.index))

    @contextlib.contextmanager
    def camera() -> Iterator[SoakSubject]:
        server = LoopbackCamera(jpegs, fps)
        try:
            source = NetworkCamera(server.url)
            yield SoakSubject(source, lambda result: server.sent_s(result.frame_with_image.image))
            source.join(_JOIN_S)
        finally:
            server.end()

    found = []
    for name, subject in (("looped file", looped), ("live camera", camera)):
        case = _Case(name, models, settings, folder, more_sinks, on_sample)
        case.run(subject, min(_WARM_UP_S, seconds / 20))  # Caches and pools reach their size.
        found.append(case.run(subject, seconds / PARTS))
    found.append(_jobs(path, models, settings, seconds / PARTS, folder, on_sample))
    return found


def _jobs(
    path: Path,
    models: OpenModels,
    settings: TrackSettings,
    seconds: float,
    folder: Path,
    on_sample: Callable[[str, SoakSample], None],
) -> SoakCase:
    """Track the video in one job after another, as `steadymark track --video` does; sample each."""
    name, output = "job after job", OutputSettings(folder, video=True, overwrite=True)

    def track() -> JobReport:
        return run_job(
            str(path),
            models,
            settings,
            output,
            used_stems=set(),
            stem=_stem(name),  # The video's own results may be in the folder.
            stop=threading.Event(),
        )

    for _ in range(_WARM_UP_JOBS):
        track()
    gc.collect()
    process_stats = ProcessStats()
    samples: list[SoakSample] = []
    faults: list[str] = []
    frames, start_s = 0, time.perf_counter()
    while not faults and (len(samples) < _LEAST_JOBS or samples[-1].at_s < seconds):
        job = track()
        frames += job.report.frames
        if job.error is not None:
            faults.append(str(job.error))
        samples.append(process_stats.sample(time.perf_counter() - start_s, frames))
        on_sample(name, samples[-1])
    gc.collect()
    figures = growth_figures(samples, process_stats.not_released(_JOIN_S), noise_mib=_ENCODER_MIB)
    return SoakCase(name, samples[-1].at_s, frames, 0, tuple(samples), figures, tuple(faults), ())


def _stem(name: str) -> str:
    """Return the file stem of a case."""
    return name.replace(" ", "-")


class _Case:
    """One source's case; `run` may be called more than once."""

    def __init__(
        self,
        name: str,
        models: OpenModels,
        settings: TrackSettings,
        folder: Path,
        more_sinks: Callable[[], Sequence[Sink]],
        on_sample: Callable[[str, SoakSample], None],
    ) -> None:
        self._name, self._models, self._settings = name, models, settings
        self._folder, self._more_sinks, self._on_sample = folder, more_sinks, on_sample
        self._results = 0
        self._due: NDArray[np.float64] = np.empty((0, 2))

    def run(self, opened: Callable[[], Any], seconds: float) -> SoakCase:
        gc.collect()
        process_stats = ProcessStats()
        running = set(threading.enumerate())
        self._results = 0
        self._due = np.full((int(seconds * _MOST_FPS) + 10_000, 2), np.nan)  # When due, how late.
        with opened() as subject:
            path = self._folder / f"{_stem(self._name)}.csv"
            sink = NativeCsvSink(path, Header(), self._models.schema)
            pipeline = Pipeline(
                subject.source,
                make_tracker(self._models, self._settings),
                [sink, *self._more_sinks()],
                on_result=lambda result: self._record_due(result, subject),
            )
            pipeline.start()
            try:
                samples = self._watch(pipeline, process_stats, seconds)
            finally:
                subject.source.close()  # A regular end, so that the table is complete.
                ended = pipeline.wait(_JOIN_S)
                if not ended:
                    pipeline.stop()
        for thread in set(threading.enumerate()) - running:
            thread.join(_JOIN_S)
        report = pipeline.report
        faults = report.faults if ended else (*report.faults, "tracking did not end in time")
        if not self._results:
            faults = (*faults, "nothing was tracked: give it more time")
        gc.collect()
        left = process_stats.not_released(_JOIN_S)
        due, live = self._due[: self._results], subject.source.info.live
        return SoakCase(
            self._name,
            samples[-1].at_s,
            report.frames,
            report.dropped,
            samples,
            soak_figures(samples, Path(sink.path), due, live=live, not_released=left)
            if len(due)
            else (),
            faults,
            report.problems,
        )

    def _watch(
        self, pipeline: Pipeline, process_stats: ProcessStats, seconds: float
    ) -> tuple[SoakSample, ...]:
        """Take samples until the time is over and enough frames came, or the pipeline ends."""
        samples = []
        start_s = time.perf_counter()
        gap_s = min(_EVERY_S, seconds / _SAMPLES)
        while True:
            at_s, report = time.perf_counter() - start_s, pipeline.report
            if at_s > seconds and (report.frames >= _LEAST_FRAMES or at_s > seconds + _PATIENCE_S):
                break
            late = self._due[max(0, self._results - 100) : self._results, 1]
            sample = replace(
                process_stats.sample(at_s, report.frames),
                dropped=report.dropped,
                waiting=pipeline.waiting,
                late_ms=float(np.median(late)) * 1e3 if len(late) else float("nan"),
            )
            samples.append(sample)
            self._on_sample(self._name, sample)
            if pipeline.wait(gap_s):
                break
        return tuple(samples)

    def _record_due(self, result: TrackResult, subject: SoakSubject) -> None:
        """Record when a result was due and how late it is; runs in the tracking thread."""
        if self._results < len(self._due):
            due_s, now_s = subject.due_s(result), time.perf_counter()
            late_s = now_s - due_s if subject.source.info.live else np.nan
            self._due[self._results] = due_s, late_s
            self._results += 1
