"""The doubtful stretches of the open recording, which are kept up to date in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from steadymark.app.session.review.doubts_worker import DoubtsReply, DoubtsRequest, DoubtsWorker
from steadymark.app.session.state import Phase
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch

_EVERY_MS = 500
_TIMES_DURATION = 10  # finding them may take at most a tenth of a core


class Doubts(QObject):
    """The doubtful stretches of the open recording. It lives in the GUI thread.

    They are found anew when there are more results, when a filter or the limits have changed, and
    when tracking has finished.

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

    changed = Signal()
    _ready = Signal()

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        super().__init__(review)
        self._recording, self._review = recording, review
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._worker = DoubtsWorker(self._ready.emit)
        self._cancelled: list[DoubtsWorker] = []  # workers whose threads may still run
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._request)
        self._requested: object = None
        self._was_finished = False
        self._limits: DoubtLimits | None = None
        self._set(())
        recording.results_changed.connect(self._on_results_changed)
        recording.results_cleared.connect(self._clear)
        review.changed.connect(self._on_project_changed)

    def close(self, timeout_s: float) -> bool:
        """End the worker threads for good. Returns whether all of them ended in time."""
        self._timer.stop()
        self._worker.close()
        ended = [one.join(timeout_s) for one in (self._worker, *self._cancelled)]
        return all(ended)

    def _set(
        self,
        stretches: tuple[DoubtfulStretch, ...],
        *,
        complete: bool = False,
        has_faces: bool = False,
        fault: UserText = NOTHING,
    ) -> None:
        self.stretches, self.complete = stretches, complete
        self.has_faces, self.fault = has_faces, fault

    def _clear(self) -> None:
        """Forget the stretches of results that are no longer shown, and do not wait for them."""
        self._cancelled = [one for one in self._cancelled if not one.join(0)]
        self._worker.close()
        self._cancelled.append(self._worker)
        self._worker = DoubtsWorker(self._ready.emit)
        self._timer.stop()
        self._timer.setInterval(0)
        self._requested, self._was_finished = None, False
        self._set(())
        self.changed.emit()

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

    def _on_results_changed(self) -> None:
        finished = self._recording.state.phase is Phase.FINISHED
        if finished and not self._was_finished:
            self._request()
        elif not self._timer.isActive():
            self._timer.start()
        self._was_finished = finished

    def _request(self) -> None:
        """Request the stretches, unless they are those of the last request."""
        results = self._recording.results
        if results is None or self._limits is None:
            return
        known = int((results.frame_status() != 0).sum())
        wanted = results, results.version, known, self._limits
        if wanted != self._requested:
            self._requested = wanted
            self._worker.request(DoubtsRequest(results, self._limits))

    def _on_ready(self) -> None:
        reply: DoubtsReply | None = self._worker.newest.take(0)
        if reply is None or reply.request.results is not self._recording.results:
            return
        self._timer.setInterval(max(_EVERY_MS, round(1000 * _TIMES_DURATION * reply.elapsed_s)))
        self._set(
            reply.stretches, complete=reply.complete, has_faces=reply.has_faces, fault=reply.fault
        )
        self.changed.emit()
