"""For tests of worker processes: networks that kill their process, and recorded reports."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.batch.run_jobs import Job
from steadymark.engine.core.errors import WeightsError
from steadymark.engine.pipeline.job import InputSettings, OutputSettings
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.fake_engine import FACE_GREY, SquareDetector, SquareNetwork
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import FaceBox, SourceInfo
    from steadymark.engine.pipeline.job import JobReport
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.models.face.crop import Image

CRASHING_WIDTH = 352  # of the videos that crash the process


class CrashingDetector(SquareDetector):
    """Kills its process at the first frame without a face of a video of CRASHING_WIDTH."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        if image.shape[1] == CRASHING_WIDTH and image.max() < FACE_GREY / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(image)


def crashing_models(_: TrackSettings) -> OpenModels:
    network = SquareNetwork()
    return OpenModels(network, CrashingDetector(), (network.card,))


class CrashingOnceDetector(SquareDetector):
    """Kills only the first process that gets there; a marker file records that one did."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        if image.shape[1] == CRASHING_WIDTH and image.max() < FACE_GREY / 2:
            mark = Path(os.environ["STEADYMARK_TEST_MARK"])
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(image)


def crashing_once_models(_: TrackSettings) -> OpenModels:
    network = SquareNetwork()
    return OpenModels(network, CrashingOnceDetector(), (network.card,))


def no_models(_: TrackSettings) -> OpenModels:
    raise WeightsError("there are no weights")


def models_unless_none(settings: TrackSettings) -> OpenModels:
    """The fake networks; loading a model named "none" fails."""
    return no_models(settings) if settings.model == "none" else square_models()


@dataclass
class RecordedReports:
    """Records the progress and the reports of jobs."""

    reports: dict[str, list[JobReport]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    on_progress: Callable[[], None] = lambda: None

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        self.frames[Path(job.text).name] = report.frames
        self.on_progress()

    def ended(self, job: Job, report: JobReport) -> None:
        self.reports.setdefault(Path(job.text).name, []).append(report)


def jobs_of(videos: list[Path], folder: Path, settings: TrackSettings | None = None) -> list[Job]:
    """One job for each video, with the name of the video."""
    chosen, output = settings or TrackSettings(device="cpu"), OutputSettings(folder)
    return [
        Job(i, str(video), chosen, output, InputSettings(), video.stem)
        for i, video in enumerate(videos)
    ]
