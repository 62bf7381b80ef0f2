"""The doubtful stretches of the open recording, which are kept up to date in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.review.background_review import BackgroundReview
from steadymark.app.session.review.doubts_worker import DoubtsReply, DoubtsRequest, DoubtsWorker
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch


class Doubts(BackgroundReview):
    """The doubtful stretches of the open recording. It lives in the GUI thread.

    Attributes:
        changed: Emitted when the attributes below have changed.
        stretches: The stretches, the worst first.
        complete: Whether all frames were processed.
        has_faces: Whether a face was found in any frame.
        fault: A sentence that says why there are none, or nothing.

    Args:
        recording: The recording.
        review: Its project, which has the limits.
    """

    stretches: tuple[DoubtfulStretch, ...]
    complete: bool
    has_faces: bool
    fault: UserText

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        super().__init__(recording, review, DoubtsWorker)
        self._limits: DoubtLimits | None = None
        review.changed.connect(self._on_project_changed)

    def _request_of(self, results: Results) -> DoubtsRequest | None:
        return None if self._limits is None else DoubtsRequest(results, self._limits)

    def _use(self, reply: DoubtsReply | None) -> None:
        if reply is None:
            self.stretches, self.complete, self.has_faces, self.fault = (), False, False, NOTHING
        else:
            self.stretches, self.complete = reply.stretches, reply.complete
            self.has_faces, self.fault = reply.has_faces, reply.fault

    def _on_project_changed(self) -> None:
        project = self._review.project
        limits = None if project is None else DoubtLimits(project.limits, project.doubts_off)
        if limits == self._limits:
            return
        had_project, self._limits = self._limits is not None, limits
        if limits is None:
            self._clear()
        elif had_project:
            self._request()
