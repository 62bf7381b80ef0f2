"""One open camera or stream, with the tracking, recording and sending that use it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Protocol

from steadymark.app.session.live.live_results import LiveResults
from steadymark.app.session.recording.point_filter import PointFilter, filter_of, without_filter
from steadymark.engine.core.protocols import FrameSource
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.sources import open_live
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, make_tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.live.stream_sending import StreamSending
    from steadymark.engine.core.types import Frame, TrackResult
    from steadymark.engine.output.live_recorder import Recorder
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.sources import CameraMode, LiveStatus, OpenAttempt
    from steadymark.engine.tracking.stabilization import FollowedFrame
    from steadymark.engine.tracking.tracker import Tracker

STOP_S = 2.0
SILENCE_S = 1.5  # a stream without pictures for this long is lost; short, so that quitting is quick


class LiveFeed(FrameSource, Protocol):
    """A camera or stream whose threads can be joined."""

    def join(self, timeout_s: float) -> bool:
        """Wait for its threads after `close`. Returns whether they ended in time."""


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A camera or stream to open.

    Attributes:
        text: `camera:0`, `camera:/dev/video0` or an address.
        mode: The mode that is requested of a camera, or None for its default.
    """

    text: str
    mode: CameraMode | None = None


def open_feed(
    target: LiveTarget, on_status: Callable[[LiveStatus], None], opening: OpenAttempt
) -> LiveFeed:
    """Open a camera or stream with the engine."""
    return open_live(
        target.text, mode=target.mode, on_status=on_status, opening=opening, silence_s=SILENCE_S
    )


def live_settings(settings: TrackSettings) -> TrackSettings:
    """Return the settings without a stabilizer that needs future frames."""
    return replace(settings, stabilizer="none") if settings.entry.needs_future else settings


class LiveTracker:
    """A tracker whose settings any thread may change at any time."""

    def __init__(self, models: OpenModels, settings: TrackSettings) -> None:
        self._lock = Lock()
        self.schema = models.schema  # of the last result
        self.use(models, settings)

    def use(self, models: OpenModels, settings: TrackSettings) -> None:
        """Use these networks and settings from the next frame on, with new state."""
        uncalibrated = replace(without_filter(settings), gaze_calibration=None)
        tracker = make_tracker(models, uncalibrated)
        point_filter = PointFilter(filter_of(settings), settings.gaze_calibration)
        with self._lock:
            self._tracker, self._filter = tracker, point_filter

    def use_filter(self, settings: TrackSettings) -> None:
        """Use another filter and gaze calibration. The tracking of faces is not interrupted."""
        with self._lock:
            self._filter = PointFilter(filter_of(settings), settings.gaze_calibration)

    def choose_neutral(self) -> None:
        """Take the faces of the next half second as neutral."""
        with self._lock:
            self._tracker.stabilization.choose_neutral()

    def follow(self, frame: Frame) -> tuple[Tracker, PointFilter, FollowedFrame]:
        """Find the faces of the next frame, see `FrameTracker`."""
        with self._lock:
            tracker, point_filter = self._tracker, self._filter
        return tracker, point_filter, tracker.follow(frame)

    def finish(self, followed: tuple[Tracker, PointFilter, FollowedFrame]) -> TrackResult:
        """Return the result of a frame, tracked with the settings at the time of `follow`."""
        tracker, point_filter, frame = followed
        self.schema = tracker.schema
        return point_filter.filtered(tracker.finish(frame))


class OpenStream:
    """An open camera or stream. Its threads run from `start` until `wait_closed` returns.

    Args:
        source: The camera or stream, which is open.
        models: The open networks.
        settings: The settings of the tracking.
        sending: Sends the results to other programs.
        on_frame: Is called from a thread when there is a frame to show. It must return immediately.
        on_end: Is called from a thread when the stream has ended. It must return immediately.

    Attributes:
        results: The results of the last minute.
        pictures: The newest frame to show.
        released: Is set when the device is released.
    """

    def __init__(
        self,
        source: LiveFeed,
        models: OpenModels,
        settings: TrackSettings,
        *,
        sending: StreamSending,
        on_frame: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self.source, self.models, self.settings = source, models, settings
        self.results = LiveResults(models.schema)
        self.pictures: LatestValue[Frame] = LatestValue()
        self.released = Event()  # is set when the device is released
        self._sending, self._on_frame, self._on_end = sending, on_frame, on_end
        self._recorder: Recorder | None = None
        self._ended_recorders: list[Recorder] = []
        self._tracker = LiveTracker(models, live_settings(settings))
        self._pipeline = Pipeline(source, self._tracker, on_result=self._on_tracked)
        self._end_thread = Thread(target=self._wait_for_end, name="live", daemon=True)

    @property
    def report(self) -> PipelineReport:
        """The report of the tracking."""
        return self._pipeline.report

    @property
    def dropped(self) -> int:
        """The number of pictures that were not shown because newer ones had arrived."""
        return self._pipeline.report.dropped + self.pictures.dropped

    def start(self) -> None:
        """Start to track and to send."""
        self._sending.begin()
        self._pipeline.start()
        self._end_thread.start()

    def use(self, models: OpenModels, settings: TrackSettings) -> None:
        """Use other networks from the next frame on."""
        self.models, self.settings = models, settings
        self._tracker.use(models, live_settings(settings))

    def use_filter(self, settings: TrackSettings) -> None:
        """Use another filter and gaze calibration from the next frame on."""
        self.settings = settings
        self._tracker.use_filter(live_settings(settings))

    def choose_neutral(self) -> None:
        """Take the faces of the next half second as neutral, for tables and for what is sent."""
        self._tracker.choose_neutral()
        self._sending.choose_neutral()

    def record(self, recorder: Recorder) -> None:
        """Record everything that is tracked from now on."""
        recorder.start()
        self._recorder = recorder

    def stop_recording(self, *, within_s: float) -> None:
        """Stop the recording. The recorder's thread closes the files."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.finish(within_s=within_s)
            running = [ended for ended in self._ended_recorders if ended.report.running]
            self._ended_recorders = [*running, recorder]

    def close(self, *, within_s: float) -> None:
        """Ask everything to end."""
        self.pictures.close()
        self._sending.end()
        self.stop_recording(within_s=within_s)

    def wait_closed(self) -> None:
        """Wait for the threads after `close`. This is meant for a background thread."""
        self._pipeline.stop()
        self._end_thread.join(STOP_S)
        self.source.join(STOP_S)
        self.released.set()
        for recorder in self._ended_recorders:
            recorder.join(STOP_S)

    def _on_tracked(self, result: TrackResult) -> None:
        """Handle a result. This runs in the pipeline's tracking thread."""
        if self._tracker.schema is not self.results.schema:  # other networks are used now
            self.results = LiveResults(self._tracker.schema)
        self.results.append(result)
        self._sending.offer(result)
        recorder = self._recorder
        if recorder is not None and self.results.schema is self.models.schema:
            recorder.offer(result)
        if self.pictures.put(result.frame_with_image):
            self._on_frame()

    def _wait_for_end(self) -> None:
        self._pipeline.wait()
        self._on_end()
