"""Which persons of the open recording may be the same one, found in a thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.app.session.review.results_table import table_of_faces
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.review.people.same_person import (
    face_look,
    frames_to_compare,
    suggest_same,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.recording.media import Media
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.people.same_person import Look, PersonFrames, SamePerson
    from steadymark.engine.review.project import Reassignment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SuggestionRequest:
    """A request for persons of finished results that may be the same one."""

    media: Media
    results: Results
    reassignments: tuple[Reassignment, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SuggestionReply:
    """The answer to a request: pairs of persons, the most alike first."""

    request: SuggestionRequest
    pairs: tuple[SamePerson, ...] = ()


class SuggestionWorker(NewestWorker["SuggestionRequest", "SuggestionReply"]):
    """Compares persons on a thread of its own; each frame is decoded once.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("suggestions", on_ready)
        self._looks: dict[tuple[int, int], Look] = {}
        self._looked_in: Results | None = None

    def _answer(self, request: SuggestionRequest) -> SuggestionReply:
        if request.results is not self._looked_in:
            self._looks, self._looked_in = {}, request.results
        try:
            results = request.results.snapshot()
            table = table_of_faces(results, results.rows())
            people = frames_to_compare(table, request.reassignments)
            self._look_at(people, request.media, results)
            return SuggestionReply(request, tuple(suggest_same(people, self._looks)))
        except Exception:
            log.exception("suggestions")
            return SuggestionReply(request)

    def _look_at(self, people: list[PersonFrames], media: Media, results: Results) -> None:
        for face, frame in sorted(
            (place for one in people for place in one.places), key=lambda place: place[1]
        ):
            if (face, frame) in self._looks or self._unwanted():
                continue
            faces = results.faces(frame) or ()
            points = next((f.stabilized for f in faces if f.face_id == face), None)
            if points is None:
                continue
            try:
                image = media.frame_at(frame).image
            except SteadymarkError as error:  # the frame is damaged, or the recording was closed
                log.debug("suggestions: %s", error)
                continue
            look = face_look(image, points.xy_px, results.schema.mean_shape)
            self._looks[face, frame] = look


class Suggestions(QObject):
    """Pairs of persons that may be the same one. It lives in the GUI thread.

    Attributes:
        changed: Emitted when `pairs` has changed.

    Args:
        recording: The recording.
        review: Its project.
        parent: The owner.
    """

    changed = Signal()
    _ready = Signal()

    def __init__(self, recording: RecordingView, review: ReviewStore, parent: QObject) -> None:
        super().__init__(parent)
        self._recording, self._review = recording, review
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._worker = SuggestionWorker(self._ready.emit)
        self._requested: SuggestionRequest | None = None
        self._found: tuple[SamePerson, ...] = ()
        self._refused: set[frozenset[int]] = set()

    @property
    def pairs(self) -> list[SamePerson]:
        """The pairs that the user has not refused, the most alike first."""
        return [one for one in self._found if frozenset((one.one, one.other)) not in self._refused]

    def refuse(self, pair: SamePerson) -> None:
        """Do not suggest a pair again while the recording is open."""
        self._refused.add(frozenset((pair.one, pair.other)))
        self.changed.emit()

    def request(self) -> None:
        """Compare the persons of the finished results, unless that was requested before."""
        current, project = self._recording.current, self._review.project
        if current is None or project is None:
            return
        request = SuggestionRequest(current.media, current.results, project.reassignments)
        if request != self._requested:
            self._requested = request
            self._worker.request(request)

    def clear(self) -> None:
        """Forget the pairs of a recording that is no longer open."""
        self._requested, self._found = None, ()
        self._refused.clear()

    def close(self, timeout_s: float) -> bool:
        """End the worker thread for good. Returns whether it ended in time."""
        self._worker.close()
        return self._worker.join(timeout_s)

    def _on_ready(self) -> None:
        reply: SuggestionReply | None = self._worker.newest.take(0)
        if reply is not None and reply.request == self._requested:
            self._found = reply.pairs
            self.changed.emit()
