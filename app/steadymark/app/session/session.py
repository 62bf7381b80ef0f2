"""The session of the window: it handles the user's actions and runs the engine."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from steadymark.app.session.analysis.analysis import Analysis
from steadymark.app.session.analysis.error_set import ErrorSet
from steadymark.app.session.analysis.measure_worker import ReviewedValues
from steadymark.app.session.background_opening import (
    ModelCache,
    OpeningRequest,
    settings_to_retrack,
)
from steadymark.app.session.display_model import DisplayModel
from steadymark.app.session.expressions.expression_choice import ExpressionChoice
from steadymark.app.session.gaze.live_gaze import LiveGaze
from steadymark.app.session.gaze.person_gaze import PersonGazes
from steadymark.app.session.live.live_view import QUIT_FLUSH_S, LiveView
from steadymark.app.session.live.open_stream import open_feed
from steadymark.app.session.people.people import People
from steadymark.app.session.recording.recording_view import RecordingView
from steadymark.app.session.recording.thumbnails import Thumbnails
from steadymark.app.session.retracking.retracking import Retracking
from steadymark.app.session.review.doubts import Doubts
from steadymark.app.session.review.review_store import ReviewStore
from steadymark.app.session.state import Display, Phase, resolve_display

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.measure_worker import MeasureReply
    from steadymark.app.session.live.live_view import OpenFeed
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.shown_source import ShownSource
    from steadymark.engine.core.types import Frame
    from steadymark.engine.review.project import Annotation, Correction
    from steadymark.engine.tracking.settings import TrackSettings

QUIT_S = 2.0


class Session(DisplayModel):
    """The session. It lives in the GUI thread.

    Attributes:
        changed: Emitted when there is a new `display`.
        frame_changed: Emitted when there is a new `frame`.
        results_changed: Emitted when there are new results.
        measures_changed: Emitted when there are new `measures`.
        message_posted: Emitted with a UserText: a fault or a note for the user.
        recording: Plays and tracks recordings.
        live: Watches cameras and streams.
        expressions: The settings of the expressions that characters get.
        review: The project of the open recording.
        doubts: Its doubtful stretches.
        people: The persons in it.
        live_gaze: The gaze calibration of the person before the camera.
        person_gazes: The gaze calibrations of the persons in the recording.
        thumbnails: Small pictures of it.
        error_set: The errors of several videos.
        retracking: Tracks a part of it again from corrected landmarks.
        source: The one of both that the window shows.
    """

    frame_changed = Signal()
    results_changed = Signal()
    measures_changed = Signal()
    message_posted = Signal(object)

    def __init__(
        self,
        settings: TrackSettings,
        *,
        state_root: Path,
        models: ModelCache | None = None,
        opener: OpenFeed = open_feed,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._models = settings, models or ModelCache()
        self.recording = RecordingView(
            self, models=lambda: self._models, settings=settings, state_root=state_root
        )
        self.live = LiveView(self._models, opener=opener, parent=self)
        self.expressions = ExpressionChoice(self.live.sending, self)
        self.live_gaze = LiveGaze(lambda: self.live.use_settings(self._live_settings), self)
        self.thumbnails = Thumbnails(self.recording, lambda: self.display.playing)
        self.review = ReviewStore(self)
        self.doubts = Doubts(self.recording, self.review)
        self.people = People(self.recording, self.review)
        self.person_gazes = PersonGazes(self.recording, self.review)
        self.retracking = Retracking(self.recording, self.review)
        self.source: ShownSource = self.recording
        self._corrections: tuple[Correction, ...] = ()
        self._excluded: tuple[Annotation, ...] = ()
        self.measures: FaceMeasures | None = None
        self.measure_time_s = 0.0
        self.analysis = Analysis(
            self,
            source=lambda: self.source,
            models=lambda: self._models,
            settings=lambda: self._settings,
            is_recording_awaited=lambda: bool(self.recording.opening),
            run_in_background=self.recording.run_in_background,
        )
        self.error_set = ErrorSet(lambda: self._models, self)
        self._connect()

    def _connect(self) -> None:
        sources: tuple[ShownSource, ...] = (self.recording, self.live)
        for source in sources:
            source.changed.connect(self.refresh)
            source.frame_changed.connect(self.frame_changed)
            source.results_changed.connect(self.results_changed)
            source.message_posted.connect(self.message_posted)
        self.recording.replacing.connect(self._make_room)
        self.recording.recording_opened.connect(self.analysis.begin)
        self.recording.recording_opened.connect(self._open_project)
        self.review.message_posted.connect(self.message_posted)
        self.people.refused.connect(self.message_posted)
        self.people.neutral.changed.connect(self.frame_changed)
        self.people.neutral.changed.connect(self.request_measures)
        self.review.changed.connect(self._on_project_changed)
        self.retracking.message_posted.connect(self.message_posted)
        self.recording.results_cleared.connect(self._on_results_cleared)
        self.analysis.message_posted.connect(self.message_posted)
        self.analysis.measures_requested.connect(self.request_measures)
        self.analysis.measures_changed.connect(self._on_measures)
        self.analysis.frame_changed.connect(self.frame_changed)
        self.analysis.results_changed.connect(self.results_changed)

    @property
    def settings(self) -> TrackSettings:
        """The settings of the tracking."""
        return self._settings

    @property
    def models(self) -> ModelCache:
        """The cache of open networks."""
        return self._models

    @property
    def frame(self) -> Frame | None:
        """The frame on the screen."""
        return self.source.frame

    @property
    def results(self) -> Results | None:
        """The results of what is shown, or None while nothing is open."""
        return self.source.results

    def open(
        self,
        path: str,
        *,
        recover_from: RecoverableSession | None = None,
        table: Path | None = None,
        project: Path | None = None,
    ) -> None:
        """Open and play a recording, and track it unless there are results of it.

        What is shown stays until the recording is open, unless it is the same recording and is to
        be tracked.

        Args:
            path: The path of the recording.
            recover_from: The earlier session whose results are recovered, or None.
            table: The table whose results are shown; see `OpeningRequest`.
            project: The file of the project; None takes the one beside the recording.
        """
        shown = self.source.state
        other = shown.path != path or table is not None
        keep_shown = shown.phase not in (Phase.EMPTY, Phase.OPENING) and other
        if keep_shown:
            self.analysis.expect_recording()
        else:
            self.close_source()
            self.source = self.recording
        request = OpeningRequest(path, recover_from, table, project)
        self.recording.open(request, self._settings, keep_shown=keep_shown)

    def open_live(self, target: LiveTarget, *, wait_for: Callable[[], object] = bool) -> None:
        """Watch a camera or stream.

        Args:
            target: The camera or stream.
            wait_for: Blocks until the device is free. It is called in a background thread.
        """
        self.close_source()
        self.source = self.live
        self.live.open(target, self._live_settings, wait_for=wait_for)

    @property
    def settings_to_retrack(self) -> frozenset[str]:
        """The names of the changed settings that are used only after tracking anew."""
        recording = self.recording.current
        before = self._settings if recording is None else recording.settings
        return settings_to_retrack(before, self._settings)

    @property
    def marked_time_s(self) -> float:
        """The time that a command means.

        It is that of the frame that the user went to, also if it is not shown yet; while the
        recording plays, it is that of the shown frame.
        """
        display, times_s = self.display, self.source.state.times_s
        if display.playing or not display.has_recording:
            return display.time_s
        return float(times_s[min(max(self.user_state.frame, 0), len(times_s) - 1)])

    def close_source(self) -> None:
        """Close the recording or live view, and give up opening another recording."""
        self.retracking.give_up()
        self.source.close()
        self.recording.give_up_opening()
        self.review.close()
        self.thumbnails.forget()
        self.analysis.end()
        self.measures, self.measure_time_s = None, 0.0
        self.user_state = replace(
            self.user_state, playing=False, frame=0, loop=None, loop_start=None, face=None
        )
        self.refresh()
        self.frame_changed.emit()
        self.measures_changed.emit()

    def close(self) -> bool:
        """End everything. Returns whether all threads ended within 2 s."""
        deadline_s = time.monotonic() + QUIT_S
        self.live.close(flush_s=QUIT_FLUSH_S)
        self.close_source()
        ended = self.doubts.close(QUIT_S)
        ended = self.people.close(QUIT_S) and ended
        ended = self.thumbnails.close(QUIT_S) and ended
        ended = self.error_set.close(QUIT_S) and ended
        ended = self.analysis.close(QUIT_S) and ended
        ended = self.live.join(deadline_s) and ended
        return self.recording.join(deadline_s) and ended

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings for what is shown and what is opened later."""
        self._settings = settings
        is_live = self.source is self.live
        self.source.use_settings(self._live_settings if is_live else settings)
        self.refresh()

    def select(self, *, face: int | None = None, landmark: int | None = None) -> None:
        """Choose the face and the landmark whose measures are shown."""
        if face is not None:
            self.user_state = replace(self.user_state, face=face)
        if landmark is not None:
            self.user_state = replace(self.user_state, landmark=landmark)
        self.request_measures()
        self.refresh()

    def request_measures(self) -> None:
        """Request measures. The signal `measures_changed` follows.

        A newer request replaces an older one.
        """
        results, user = self.recording.results, self.user_state
        attributes = None if results is None else self.people.neutral.attributes(results)
        reviewed = ReviewedValues(attributes, self.review.project)
        self.analysis.request_measures(user.face, user.landmark, reviewed=reviewed)

    @property
    def _live_settings(self) -> TrackSettings:
        return self.live_gaze.settings(self._settings)

    def choose_neutral(self) -> None:
        """Take the faces of the next half second of a live view as neutral, also what is sent."""
        self.live.choose_neutral()

    def _make_room(self) -> None:
        """Close what is shown, because the recording that was being opened is open."""
        self.analysis.keep_truth_for_next()
        self.close_source()
        self.source = self.recording

    def _open_project(self, opened: OpenRecording) -> None:
        landmarks = opened.results.schema.count
        self.review.open(opened.media.info, opened.project, landmarks=landmarks)

    def _on_project_changed(self) -> None:
        project = self.review.project
        corrections = () if project is None else project.corrections
        if corrections != self._corrections:
            self._corrections = corrections
            self.frame_changed.emit()
        excluded = () if project is None else project.excluded
        if excluded != self._excluded:
            self._excluded = excluded
            if project is not None:  # otherwise the recording is being closed
                self.request_measures()

    def _on_results_cleared(self) -> None:
        self.analysis.cancel_measures()
        self.measures, self.measure_time_s = None, 0.0
        self.measures_changed.emit()

    def _on_measures(self, reply: MeasureReply) -> None:
        self.measures, self.measure_time_s = reply.measures, reply.elapsed_s
        self.measures_changed.emit()

    def _resolve_display(self) -> Display:
        display = resolve_display(self.user_state, self.source.state)
        return replace(self.analysis.complete_display(display), opening=self.recording.opening)
