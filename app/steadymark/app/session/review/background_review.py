"""What is computed from the results of the open recording, and kept up to date in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from steadymark.app.session.state import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.newest_worker import NewestWorker
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore

_EVERY_MS = 500
_TIMES_DURATION = 10  # computing may take at most a tenth of a core


class ResultsRequest(Protocol):
    """A request that is about results."""

    @property
    def results(self) -> Results:
        """The results."""


class ResultsReply(Protocol):
    """The answer to such a request."""

    @property
    def request(self) -> ResultsRequest:
        """The request."""

    @property
    def elapsed_s(self) -> float:
        """The duration of the computation in seconds."""


class BackgroundReview(QObject):
    """Something that is computed from the results and the project. It lives in the GUI thread.

    It is computed anew when there are more results, when a filter or the project has changed, and
    when tracking has finished. A subclass says what is requested (`_request_of`) and what becomes
    of a reply (`_use`); `_use(None)` forgets the last one.

    Attributes:
        changed: Emitted after `_use`.

    Args:
        recording: The recording.
        review: Its project.
        make_worker: Makes a worker from what it calls when a reply is there.
    """

    changed = Signal()
    _ready = Signal()

    def __init__(
        self,
        recording: RecordingView,
        review: ReviewStore,
        make_worker: Callable[[Callable[[], None]], NewestWorker[Any, Any]],
    ) -> None:
        super().__init__(review)
        self._recording, self._review, self._make_worker = recording, review, make_worker
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._worker = make_worker(self._ready.emit)
        self._cancelled: list[NewestWorker[Any, Any]] = []  # whose threads may still run
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._request)
        self._requested: object = None
        self._was_finished = False
        self._use(None)
        recording.results_changed.connect(self._on_results_changed)
        recording.results_cleared.connect(self._clear)

    def close(self, timeout_s: float) -> bool:
        """End the worker threads for good. Returns whether all of them ended in time."""
        self._timer.stop()
        self._worker.close()
        ended = [one.join(timeout_s) for one in (self._worker, *self._cancelled)]
        return all(ended)

    def _request_of(self, results: Results) -> ResultsRequest | None:
        """Return what to request of results, equal to the last request if nothing has changed."""
        raise NotImplementedError

    def _use(self, reply: Any | None) -> None:
        """Use the newest reply, or forget the last one."""
        raise NotImplementedError

    def _clear(self) -> None:
        """Forget what was computed of results that are no longer shown, and do not wait for it."""
        self._cancelled = [one for one in self._cancelled if not one.join(0)]
        self._worker.close()
        self._cancelled.append(self._worker)
        self._worker = self._make_worker(self._ready.emit)
        self._timer.stop()
        self._timer.setInterval(0)
        self._requested, self._was_finished = None, False
        self._use(None)
        self.changed.emit()

    def _follow_project(self) -> None:
        """Compute anew when the project has changed, or forget when it is closed."""
        if self._review.project is None:
            self._clear()
        else:
            self._request()

    def _on_results_changed(self) -> None:
        finished = self._recording.state.phase is Phase.FINISHED
        if finished and not self._was_finished:
            self._request()
        elif not self._timer.isActive():
            self._timer.start()
        self._was_finished = finished

    def _request(self) -> None:
        """Request the newest state, unless it is that of the last request."""
        results = self._recording.results
        if results is None:
            return
        # these are read first because the results may change meanwhile
        version, known = results.version, int((results.frame_status() != 0).sum())
        request = self._request_of(results)
        if request is None:
            return
        wanted = version, known, request
        if wanted != self._requested:
            self._requested = wanted
            self._worker.request(request)

    def _on_ready(self) -> None:
        reply: ResultsReply | None = self._worker.newest.take(0)
        if reply is None or reply.request.results is not self._recording.results:
            return
        self._timer.setInterval(max(_EVERY_MS, round(1000 * _TIMES_DURATION * reply.elapsed_s)))
        self._use(reply)
        self.changed.emit()
