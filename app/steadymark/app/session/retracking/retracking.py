"""Tracks the frames after the shown one again, from corrected landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.retracking.part_tracking import Part, PartTracking
from steadymark.app.session.review.corrected_faces import corrected_faces
from steadymark.app.session.state import Phase
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.core.image_order import ImageOrder
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore


class Retracking(QObject):
    """Tracks a part of the open recording again. It lives in the GUI thread.

    Until the part is complete, and if it fails, the results are as they were.

    Args:
        recording: Shows the recording.
        review: Has the corrections.

    Attributes:
        changed: Emitted when it begins, goes on or ends.
        message_posted: Emitted with a UserText for the user.
    """

    changed = Signal()
    message_posted = Signal(object)
    _went_on = Signal()
    _ended = Signal(object)

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        super().__init__(recording)
        self._recording, self._review = recording, review
        self._running: PartTracking | None = None
        self._base: Results | None = None
        self._progress = CoalescedCallback(self._went_on.emit)
        self._went_on.connect(self._on_progress, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        recording.results_cleared.connect(self.give_up)

    @property
    def running(self) -> Part | None:
        """The part that is being tracked again, or None."""
        return None if self._running is None else self._running.part

    @property
    def share(self) -> float:
        """The share of that part that is tracked, in [0, 1]."""
        return 0.0 if self._running is None else self._running.share

    def frames_after(self, frame: int) -> range:
        """Return the frames that are tracked again: up to the next corrected frame or the end."""
        results, project = self._recording.results, self._review.project
        end = 0 if results is None else results.frames
        corrected = () if project is None else (one.frame for one in project.corrections)
        return range(frame + 1, min((one for one in corrected if frame < one < end), default=end))

    def why_not(self, frame: int) -> UserText:
        """Return why the frames after this one cannot be tracked again; empty if they can."""
        current = self._recording.current
        if current is None:
            return UserText("Open a recording first.")
        if self._running is not None:
            return UserText("Frames are being tracked again: wait until it is done.")
        if current.media.info.image_order is ImageOrder.INDEPENDENT:
            return UserText("These images are tracked independently of each other.")
        if self._recording.state.phase is not Phase.FINISHED:
            return UserText("Wait until all frames are processed.")
        if not self.frames_after(frame):
            return UserText("There is no frame to track after this one.")
        if not len(current.results.rows_at(frame)):
            return UserText("There is no tracked face in this frame.")
        return NOTHING

    def start(self, frame: int) -> bool:
        """Track the frames after a frame again, from its landmarks with their corrections.

        Returns:
            Whether it began; otherwise a message says why not.
        """
        current, why = self._recording.current, self.why_not(frame)
        if current is None or why:
            self.message_posted.emit(why)
            return False
        running = PartTracking(
            current.media,
            current.models,
            current.settings,
            current.tracking.filtered_results(),
            self._part(current.results, frame),
            new_store=current.new_store,
            on_change=self._progress,
        )
        self._running, self._base = running, current.results

        def run() -> None:
            running.run()
            self._ended.emit(running)

        self._recording.run_in_background(run, "tracking again")
        self.changed.emit()
        return True

    def give_up(self) -> None:
        """Stop; the results stay as they were."""
        if self._running is not None:
            self._running.give_up()
            self._running = None
            self.changed.emit()

    def _part(self, results: Results, frame: int) -> Part:
        project = self._review.project
        faces = results.faces(frame) or ()
        corrections = () if project is None else project.corrections
        found = corrected_faces(faces, frame, results, corrections)
        known = {
            face.face_id: face.stabilized if face.face_id in found.corrected else face.raw
            for face in found.faces
            if face.raw is not None and face.stabilized is not None
        }
        return Part(self.frames_after(frame), {i: p for i, p in known.items() if p is not None})

    def _on_progress(self) -> None:
        self._progress.mark_handled()
        self.changed.emit()

    def _on_ended(self, ended: PartTracking) -> None:
        if ended is not self._running:
            return  # it was given up, which has removed its files
        self._running = None
        current, merged, frames = self._recording.current, ended.merged, ended.part.frames
        if merged is None or current is None or current.results is not self._base:
            ended.give_up()
            self._tell(frames, ended.fault)
        else:
            wait_closed = current.use_results(merged, ended.store, ended.settings)
            self._recording.run_in_background(wait_closed, "closing")
            self._recording.run_in_background(current.tracking.apply_filter, "filtering")
            if ended.fault:
                self.message_posted.emit(ended.fault)
        self.changed.emit()

    def _tell(self, frames: range, fault: UserText) -> None:
        self.message_posted.emit(
            UserText(
                "Frames {first} to {last} are as they were: {fault}",
                first=frames.start,
                last=frames[-1],
                fault=fault,
            )
        )
