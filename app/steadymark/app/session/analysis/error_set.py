"""The errors of several videos with ground truth as one set, measured on a thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.analysis.landmark_errors import landmark_errors
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.metrics.accuracy_scores import join_comparisons
from steadymark.engine.metrics.tracker_tables import match_table, prepare_video, track
from steadymark.engine.metrics.video_ground_truth import find_videos
from steadymark.engine.output.read_table import read_table
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steadymark.app.session.analysis.landmark_errors import ErrorPair
    from steadymark.app.session.background_opening import ModelCache
    from steadymark.engine.metrics.accuracy_scores import LandmarkComparison
    from steadymark.engine.metrics.tracker_tables import ScoredVideo
    from steadymark.engine.metrics.video_ground_truth import LabelledVideo
    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.tracking.settings import TrackSettings

    SetVideo = tuple[LabelledVideo, Path | None]  # with the table of its landmarks, if there is one

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSetReport:
    """The progress and the outcome.

    Attributes:
        running: Whether videos are being measured.
        name: The video that is being measured.
        number: Its number, from 1.
        total: The number of videos; 0 while it is not known.
        share: The share of the video that is tracked, in [0, 1].
        pair: The errors of the raw and of the stabilized landmarks; None until all are measured.
        fault: A sentence that says what failed, or nothing.
    """

    running: bool = False
    name: str = ""
    number: int = 0
    total: int = 0
    share: float = 0.0
    pair: ErrorPair | None = None
    fault: UserText = NOTHING


class _CancelledError(Exception):
    """Raised in the thread when the set is not wanted any more."""


class ErrorSet(QObject):
    """Measures sets of videos, as `steadymark evaluate` does. It lives in the GUI thread.

    Attributes:
        changed: Emitted when the report has changed.

    Args:
        models: Returns the networks that are open.
        parent: The owner.
    """

    changed = Signal()
    _updated = Signal()

    def __init__(self, models: Callable[[], ModelCache], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._lock, self._stop = Lock(), Event()
        self._report = ErrorSetReport()
        self._thread: Thread | None = None
        self._call = CoalescedCallback(self._updated.emit)
        self._updated.connect(self._on_updated, Qt.ConnectionType.QueuedConnection)

    @property
    def report(self) -> ErrorSetReport:
        """A snapshot of the progress."""
        with self._lock:
            return self._report

    def start(self, find: Callable[[], Sequence[SetVideo]], settings: TrackSettings) -> None:
        """Measure videos, unless others are being measured.

        Args:
            find: Returns the videos; it is called in the thread.
            settings: With which videos without a table are tracked.
        """
        if self.report.running:
            return
        self._stop, self._report = Event(), ErrorSetReport(running=True)
        stop, models = self._stop, self._models()
        self._thread = Thread(
            target=lambda: self._run(find, settings, models, stop), name="error set", daemon=True
        )
        self._thread.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Stop soon; there is no result then."""
        self._stop.set()

    def close(self, timeout_s: float) -> bool:
        """Cancel, and return whether the thread ended in time."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _on_updated(self) -> None:
        self._call.mark_handled()
        self.changed.emit()

    def _run(
        self,
        find: Callable[[], Sequence[SetVideo]],
        settings: TrackSettings,
        models: ModelCache,
        stop: Event,
    ) -> None:
        try:
            pair = self._measure(find(), settings, models, stop)
        except _CancelledError:
            self._update(running=False)
        except SteadymarkError as error:
            self._update(running=False, fault=error.sentence)
        except Exception as error:
            log.exception("error set")
            named = f"{type(error).__name__}: {error}"
            fault = UserText("the videos cannot be compared ({fault})", fault=named)
            self._update(running=False, fault=fault)
        else:
            self._update(running=False, pair=pair)

    def _measure(
        self,
        videos: Sequence[SetVideo],
        settings: TrackSettings,
        models: ModelCache,
        stop: Event,
    ) -> ErrorPair:
        opened = models.get(settings)
        raw: list[LandmarkComparison] = []
        stabilized: list[LandmarkComparison] = []
        for number, (labelled, path) in enumerate(videos, start=1):
            self._update(name=labelled.name, number=number, total=len(videos), share=0.0)
            video = prepare_video(labelled, opened.schema)
            if path is not None:
                table = read_table(path)
            else:
                table, _ = track(
                    video,
                    opened,
                    settings,
                    on_progress=lambda info, report: self._update(
                        share=report.frames / info.frames if info.frames else 0.0
                    ),
                    stop=stop,
                )
            if stop.is_set():
                raise _CancelledError
            raw += _compared(replace(table, xy_px=table.raw_xy_px), video)
            stabilized += _compared(table, video)
        return (
            landmark_errors(join_comparisons(raw)),
            landmark_errors(join_comparisons(stabilized)),
        )

    def _update(self, **changes: object) -> None:
        with self._lock:
            self._report = replace(self._report, **changes)  # type: ignore[arg-type]
        self._call()


def videos_of_folder(folder: Path) -> list[SetVideo]:
    """Return the videos with ground truth in a folder and its subfolders, as `evaluate` finds them.

    Raises:
        UsageError: There are none.
    """
    found = find_videos(folder)
    if not found:
        raise UsageError(
            "{folder} holds no video with ground truth beside it: NAME_truth.csv, or a folder "
            "annot with .pts files",
            folder=folder,
        )
    return [(video, None) for video in found]


def videos_of_tables(tables: Sequence[tuple[Path, Path]]) -> list[SetVideo]:
    """Return the videos with ground truth among tracked videos, with their tables.

    Args:
        tables: The table and the video of each.

    Raises:
        UsageError: None of them has ground truth.
    """
    videos = [(find_videos(video)[0], table) for table, video in tables if video.is_file()]
    with_truth: list[SetVideo] = [(video, t) for video, t in videos if video.truth is not None]
    if not with_truth:
        raise UsageError("none of the finished videos of the queue has ground truth beside it")
    return with_truth


def _compared(table: LandmarkTable, video: ScoredVideo) -> list[LandmarkComparison]:
    compared = match_table(table, video, name=video.name).compared()
    return [] if compared is None else [compared]
