"""Background tracking of a recording in segments: first from the user's position, then the rest."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING

from steadymark.app.session.recording.point_filter import (
    NO_FILTER,
    PointFilter,
    filter_of,
    without_filter,
)
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.face3d.face_at_rest import learns_from_recording
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.tracking.settings import (
    OpenModels,
    TrackSettings,
    make_tracker,
    settings_for_images,
)
from steadymark.models.user_text import NOTHING, UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.recording.media import Media, MediaSegment
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer

log = logging.getLogger(__name__)

NEAR_S = 2.0  # tracking does not jump to a frame that it reaches within this time


class TrackingPhase(StrEnum):
    """What the tracking does. FAILED: `fault` gives the reason; `resume` tries the next frame."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """The state of the tracking.

    fault: a sentence that says what failed, or nothing. faces_seen: the largest number of faces
    that the detector saw in a frame, tracked or not.
    """

    phase: TrackingPhase = TrackingPhase.RUNNING
    fault: UserText = NOTHING
    faces_seen: int = 0


class BackgroundTracking:
    """The tracking of one recording, on threads of its own until `close`.

    Args:
        media: The recording.
        models: The open networks.
        settings: The settings of the tracking.
        results: Receives the tracked frames.
        sinks: Makes the further outputs of a segment, given the number of the segment.
        on_change: Is called from any thread after every frame and every change of the report. It
            must return immediately.
        finished: Whether there is nothing to track, because all results come from a table.
    """

    def __init__(
        self,
        media: Media,
        models: OpenModels,
        settings: TrackSettings,
        results: Results,
        *,
        sinks: Callable[[int], Sequence[Sink]] = lambda _: (),
        on_change: Callable[[], None] = lambda: None,
        finished: bool = False,
    ) -> None:
        self._media, self._models, self._results = media, models, results
        self._independent = media.info.image_order is ImageOrder.INDEPENDENT
        settings = settings_for_images(settings, media.info.image_order)
        self._settings = without_filter(settings)
        self._sinks, self._on_change = sinks, on_change
        learns = learns_from_recording(results.schema.name, media.info.image_order)
        results.learns_later = learns and not (finished or results.of_recording)
        self._changed = Condition()
        self._report = TrackingReport(TrackingPhase.FINISHED if finished else TrackingPhase.RUNNING)
        self._closing = self._paused = False
        self._requested_frame, self._number = 0, 0
        self._segment: MediaSegment | None = None
        self._frames = range(0)  # the frames of that segment
        self._last_tracked = -1  # the last tracked frame of the current segment
        self._filter_lock = Lock()
        self._chosen_filter = filter_of(settings)
        self._filter = PointFilter(self._chosen_filter)
        self._thread = Thread(target=self._run, name="pieces", daemon=True)

    @property
    def report(self) -> TrackingReport:
        """A snapshot of the state."""
        with self._changed:
            return self._report

    @property
    def last_tracked(self) -> int:
        """The index of the frame that was tracked last."""
        with self._changed:
            return self._last_tracked

    def start(self, first: int = 0) -> None:
        """Start tracking with this frame."""
        self._requested_frame = first
        self._thread.start()

    def seek(self, index: int) -> None:
        """Continue tracking from this frame, unless it is tracked or will be reached soon."""
        times = self._results.times_s
        with self._changed:
            self._requested_frame = index
            if self._results.is_tracked(index) or self._segment is None:
                return
            ahead = index in self._frames and index > self._last_tracked
            if not (ahead and times[index] - times[max(0, self._last_tracked)] <= NEAR_S):
                self._segment.close()

    def pause(self) -> None:
        """Pause after the frames in progress. The state of the faces is kept."""
        with self._changed:
            self._paused = True
            if self._segment is not None:
                self._segment.pause()
            if self._report.phase is TrackingPhase.RUNNING:
                self._report = replace(self._report, phase=TrackingPhase.PAUSED)
        self._on_change()

    def resume(self) -> None:
        """Continue after `pause` or a failure."""
        with self._changed:
            self._paused = False
            if self._segment is not None:
                self._segment.resume()
            if self._report.phase is not TrackingPhase.FINISHED:
                self._report = replace(self._report, phase=TrackingPhase.RUNNING, fault=NOTHING)
            self._changed.notify_all()
        self._on_change()

    def set_filter(self, choice: ChosenStabilizer) -> None:
        """Choose the filter. The newest choice counts, and `apply_filter` applies it.

        Independent images are not filtered.
        """
        with self._changed:
            self._chosen_filter = NO_FILTER if self._independent else choice

    def apply_filter(self) -> None:
        """Run the chosen filter over all results and over later frames. This may take seconds."""
        with self._filter_lock:
            with self._changed:
                choice = self._chosen_filter
            if choice == self._filter.choice:
                return
            self._filter = PointFilter(choice)
            applies_now = not choice.needs_future or self.report.phase is TrackingPhase.FINISHED
            active = self._filter if applies_now else PointFilter(NO_FILTER)
            self._results.set_stabilized(active.refilter(self._results, stop=self._is_closing))
        self._on_change()

    def filtered_results(self) -> Results:
        """Return a copy of the current results after the chosen filter has run."""
        self.apply_filter()
        with self._filter_lock:
            return self._results.snapshot()

    def close(self) -> None:
        """Ask all threads to end. `join` waits for them."""
        with self._changed:
            self._closing = True
            if self._segment is not None:
                self._segment.close()
            self._changed.notify_all()

    def wait(self, phase: TrackingPhase, timeout_s: float) -> bool:
        """Wait until the tracking is in this phase. Returns False if the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._report.phase is phase, timeout_s)

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads. Returns whether all of them ended in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (frames := self._next_segment()) is not None:
            try:
                self._track(frames)
            except SteadymarkError as error:
                self._set_phase(TrackingPhase.FAILED, error.sentence)
            except Exception as error:
                log.exception("tracking")
                named = f"{type(error).__name__}: {error}"
                self._set_phase(
                    TrackingPhase.FAILED, UserText("tracking stopped ({fault})", fault=named)
                )

    def _next_segment(self) -> range | None:
        """Wait until there are frames to track, and return them; None when closing."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._may_run())
                if self._closing:
                    return None
                frames = self._results.next_gap(self._requested_frame)
            if frames is not None:
                return frames
            self._finish()

    def _may_run(self) -> bool:
        return not self._paused and self._report.phase in (
            TrackingPhase.RUNNING,
            TrackingPhase.PAUSED,
        )

    def _finish(self) -> None:
        with self._filter_lock:
            later, learns = self._filter.choice.needs_future, self._results.learns_later
            if later or learns:
                stop = self._is_closing
                stabilized = self._filter.refilter(self._results, stop=stop) if later else None
                self._results.set_stabilized(stabilized, of_recording=learns, stop=stop)
            self._set_phase(TrackingPhase.FINISHED)

    def _track(self, frames: range) -> None:
        segment = self._media.segment(frames)
        tracker = make_tracker(self._models, self._settings)
        with self._changed:
            if self._closing:
                return
            self._segment, self._frames, self._last_tracked = segment, frames, frames.start - 1
            if self._paused:
                segment.pause()
            self._number += 1
        self._results.begin_segment()
        pipeline = Pipeline(segment, tracker, self._sinks(self._number), on_result=self._on_tracked)
        pipeline.start()
        pipeline.wait()
        with self._changed:
            self._segment = None
            last_tracked = self._last_tracked
        if faults := pipeline.report.faults:
            # `resume` continues after the frame that could not be tracked
            self._results.mark_damaged(last_tracked + 1, last_tracked + 2)
            self._set_phase(TrackingPhase.FAILED, join_texts(faults))
        elif segment.ended:
            self._results.mark_damaged(last_tracked + 1, frames.stop)
        self._on_change()

    def _on_tracked(self, result: TrackResult) -> None:
        """Handle a result. This runs in the pipeline's tracking thread."""
        with self._filter_lock:
            self._results.add(self._filter.filtered(result))
        with self._changed:
            last_tracked, self._last_tracked = self._last_tracked, result.frame.index
            if result.faces_seen > self._report.faces_seen:
                self._report = replace(self._report, faces_seen=result.faces_seen)
        if result.frame.index > last_tracked + 1:
            self._results.mark_damaged(last_tracked + 1, result.frame.index)
        self._on_change()

    def _is_closing(self) -> bool:
        with self._changed:
            return self._closing

    def _set_phase(self, phase: TrackingPhase, fault: UserText = NOTHING) -> None:
        with self._changed:
            self._report = replace(self._report, phase=phase, fault=fault)
            self._changed.notify_all()
        self._on_change()
