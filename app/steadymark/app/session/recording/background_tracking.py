"""Tracks a film into its results, piece by piece: from where the user looks, then what is left."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING

from steadymark.app.session.recording.point_filter import PointFilter, filter_of, without_filter
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.stabilizers.online_filters import OFFLINE
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, make_tracker
from steadymark.models.user_text import NOTHING, UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.recording.media import Media, MediaSegment
    from steadymark.app.session.recording.point_filter import FilterChoice
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import TrackResult

log = logging.getLogger(__name__)

NEAR_S = 2.0  # a frame that tracking reaches this soon is waited for instead of tracked anew


class TrackingPhase(StrEnum):
    """What tracking does. FAILED: see `fault`; `go_on` tries the next frame."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """fault: a sentence."""

    work: TrackingPhase = TrackingPhase.RUNNING
    fault: UserText = NOTHING


class BackgroundTracking:
    """One film's tracking, on threads of its own until `close`.

    sinks: makes what a piece is also written to, by the piece's number. on_change is called, from
    any thread, after every frame and change of work; it must return at once.
    """

    def __init__(
        self,
        film: Media,
        models: OpenModels,
        settings: TrackSettings,
        results: Results,
        *,
        sinks: Callable[[int], Sequence[Sink]] = lambda _: (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._film, self._models, self._results = film, models, results
        self._settings = without_filter(settings)
        self._sinks, self._on_change = sinks, on_change
        self._changed = Condition()
        self._report = TrackingReport()
        self._closing = self._held = False
        self._wanted, self._number = 0, 0
        self._piece: MediaSegment | None = None
        self._frames = range(0)  # of that piece
        self._head = -1  # the last frame of the piece in hand that is tracked
        self._filtering_lock = Lock()
        self._wanted_filter = filter_of(settings)
        self._filtering = PointFilter(self._wanted_filter)
        self._thread = Thread(target=self._run, name="pieces", daemon=True)

    @property
    def report(self) -> TrackingReport:
        """A snapshot."""
        with self._changed:
            return self._report

    @property
    def head(self) -> int:
        """The frame tracked last."""
        with self._changed:
            return self._head

    def start(self, first: int = 0) -> None:
        """Begin with this frame."""
        self._wanted = first
        self._thread.start()

    def seek(self, index: int) -> None:
        """Go on from there, unless it is tracked, or reached soon anyway."""
        times = self._results.times_s
        with self._changed:
            self._wanted = index
            if self._results.is_tracked(index) or self._piece is None:
                return
            ahead = index in self._frames and index > self._head
            if not (ahead and times[index] - times[max(0, self._head)] <= NEAR_S):
                self._piece.close()

    def pause(self) -> None:
        """Stop after the frames in hand; memory of faces is kept."""
        with self._changed:
            self._held = True
            if self._piece is not None:
                self._piece.hold()
            if self._report.work is TrackingPhase.RUNNING:
                self._report = replace(self._report, work=TrackingPhase.PAUSED)
        self._on_change()

    def go_on(self) -> None:
        """After `pause` or a failure."""
        with self._changed:
            self._held = False
            if self._piece is not None:
                self._piece.go_on()
            if self._report.work is not TrackingPhase.FINISHED:
                self._report = replace(self._report, work=TrackingPhase.RUNNING, fault=NOTHING)
            self._changed.notify_all()
        self._on_change()

    def want_filter(self, choice: FilterChoice) -> None:
        """Of several calls the newest counts; `apply_filter` does it."""
        with self._changed:
            self._wanted_filter = choice

    def apply_filter(self) -> None:
        """Run the filter that is wanted over everything, and over what comes. May take seconds."""
        with self._filtering_lock:
            with self._changed:
                choice = self._wanted_filter
            if choice == self._filtering.choice:
                return
            self._filtering = PointFilter(choice)
            whole = choice.name != OFFLINE or self.report.work is TrackingPhase.FINISHED
            now = self._filtering if whole else PointFilter(replace(choice, name="none"))
            self._results.set_steady(now.refilter(self._results, stop=self._is_closing))
        self._on_change()

    def settled(self) -> Results:
        """The results as they are, of the filter that is wanted: waits until it has run."""
        self.apply_filter()
        with self._filtering_lock:
            return self._results.as_now()

    def close(self) -> None:
        """Ask everything to end; `join` waits for it."""
        with self._changed:
            self._closing = True
            if self._piece is not None:
                self._piece.close()
            self._changed.notify_all()

    def wait(self, work: TrackingPhase, timeout_s: float) -> bool:
        """Until tracking does that; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._report.work is work, timeout_s)

    def join(self, timeout_s: float) -> bool:
        """Whether all threads have ended in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (frames := self._next_piece()) is not None:
            try:
                self._track(frames)
            except SteadymarkError as error:
                self._set(TrackingPhase.FAILED, error.sentence)
            except Exception as error:
                log.exception("tracking")
                named = f"{type(error).__name__}: {error}"
                self._set(TrackingPhase.FAILED, UserText("tracking stopped ({fault})", fault=named))

    def _next_piece(self) -> range | None:
        """Wait until there is something to track; None when closing."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._may_run())
                if self._closing:
                    return None
                frames = self._results.next_gap(self._wanted)
            if frames is not None:
                return frames
            self._finish()

    def _may_run(self) -> bool:
        return not self._held and self._report.work in (TrackingPhase.RUNNING, TrackingPhase.PAUSED)

    def _finish(self) -> None:
        with self._filtering_lock:
            if self._filtering.choice.name == OFFLINE:
                steady = self._filtering.refilter(self._results, stop=self._is_closing)
                self._results.set_steady(steady)
            self._set(TrackingPhase.FINISHED)

    def _track(self, frames: range) -> None:
        piece = self._film.piece(frames)
        tracker = make_tracker(self._models, self._settings)
        with self._changed:
            if self._closing:
                return
            self._piece, self._frames, self._head = piece, frames, frames.start - 1
            if self._held:
                piece.hold()
            self._number += 1
        self._results.begin_piece()
        pipeline = Pipeline(piece, tracker, self._sinks(self._number), on_result=self._take)
        pipeline.start()
        pipeline.wait()
        with self._changed:
            self._piece = None
            head = self._head
        if faults := pipeline.report.faults:
            # going on begins behind the frame that could not be tracked
            self._results.mark_damaged(head + 1, head + 2)
            self._set(TrackingPhase.FAILED, join_texts(faults))
        elif piece.ended:
            self._results.mark_damaged(head + 1, frames.stop)
        self._on_change()

    def _take(self, result: TrackResult) -> None:
        """Runs in the pipeline's tracking thread."""
        with self._filtering_lock:
            self._results.add(self._filtering.filtered(result))
        with self._changed:
            head, self._head = self._head, result.frame.index
        if result.frame.index > head + 1:
            self._results.mark_damaged(head + 1, result.frame.index)
        self._on_change()

    def _is_closing(self) -> bool:
        with self._changed:
            return self._closing

    def _set(self, work: TrackingPhase, fault: UserText = NOTHING) -> None:
        with self._changed:
            self._report = replace(self._report, work=work, fault=fault)
            self._changed.notify_all()
        self._on_change()
