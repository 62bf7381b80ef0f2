"""Networks that end the process they run in, and who watches jobs: for tests of processes."""

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

DEADLY_WIDTH = 352  # of the films that nobody survives


class DeadlyDetector(SquareDetector):
    """Kills its process in the first frame without a face of such a film."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        if image.shape[1] == DEADLY_WIDTH and image.max() < FACE_GREY / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(image)


def deadly_models(_: TrackSettings) -> OpenModels:
    network = SquareNetwork()
    return OpenModels(network, DeadlyDetector(), (network.card,))  # type: ignore[arg-type]


class DeadlyOnceDetector(SquareDetector):
    """Kills its process if that is the first that comes so far: a file beside the films knows."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        if image.shape[1] == DEADLY_WIDTH and image.max() < FACE_GREY / 2:
            mark = Path(os.environ["STEADYMARK_TEST_MARK"])
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(image)


def deadly_once_models(_: TrackSettings) -> OpenModels:
    network = SquareNetwork()
    return OpenModels(network, DeadlyOnceDetector(), (network.card,))  # type: ignore[arg-type]


def no_models(_: TrackSettings) -> OpenModels:
    raise WeightsError("there are no weights")


def choosy_models(settings: TrackSettings) -> OpenModels:
    """Not those of that name."""
    return no_models(settings) if settings.model == "none" else square_models()


@dataclass
class Notes:
    """What a watcher was told."""

    reports: dict[str, list[JobReport]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    on_progress: Callable[[], None] = lambda: None

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        self.frames[Path(job.text).name] = report.frames
        self.on_progress()

    def ended(self, job: Job, report: JobReport) -> None:
        self.reports.setdefault(Path(job.text).name, []).append(report)


def jobs_of(films: list[Path], folder: Path, settings: TrackSettings | None = None) -> list[Job]:
    """One a film, named as it is."""
    chosen, output = settings or TrackSettings(device="cpu"), OutputSettings(folder)
    return [
        Job(i, str(film), chosen, output, InputSettings(), film.stem)
        for i, film in enumerate(films)
    ]
