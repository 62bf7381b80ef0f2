"""Small pictures of the persons of the open recording, which a thread cuts from its frames."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.review.people.face_picture import face_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from steadymark.app.session.recording.media import Media
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.engine.review.people.person_summary import PersonSummary
    from steadymark.models.face.crop import Image, Points

SIDE = 96  # pixels, so that they are sharp on dense screens too
log = logging.getLogger(__name__)

Place = tuple[int, int]  # the number of a face, and the index of a frame


@dataclass(frozen=True, slots=True, eq=False)
class FacePictureRequest:
    """A request for the picture of a face.

    Attributes:
        media: The recording.
        place: The face and the frame.
        xy_px: (K, 2) landmarks of the face in frame pixels.
    """

    media: Media
    place: Place
    xy_px: Points


@dataclass(frozen=True, slots=True, eq=False)
class FacePictureReply:
    """The answer to a request: the picture, (SIDE, SIDE, 3); None if there is none."""

    request: FacePictureRequest
    image: Image | None


class FacePictureWorker(NewestWorker["FacePictureRequest", "FacePictureReply"]):
    """Decodes frames and cuts faces on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("face pictures", on_ready)

    def _answer(self, request: FacePictureRequest) -> FacePictureReply:
        try:
            frame = request.media.frame_at(request.place[1])
            image = face_picture(frame.image, request.xy_px, SIDE)
        except SteadymarkError as error:  # the frame is damaged, or the recording was closed
            log.debug("face picture: %s", error)
            return FacePictureReply(request, None)
        except Exception:
            log.exception("face picture")
            return FacePictureReply(request, None)
        return FacePictureReply(request, image)


class FacePictures(QObject):
    """The pictures of persons, one after the other. It lives in the GUI thread.

    Attributes:
        changed: Emitted when there is another picture.

    Args:
        recording: The recording.
        parent: The owner.
    """

    changed = Signal()
    _ready = Signal()

    def __init__(self, recording: RecordingView, parent: QObject) -> None:
        super().__init__(parent)
        self._recording = recording
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._worker = FacePictureWorker(self._ready.emit)
        self._images: dict[Place, Image | None] = {}
        self._wanted: list[Place] = []
        self._media: Media | None = None
        self._waits = False

    def image_of(self, person: PersonSummary) -> Image | None:
        """Return the picture of a person, (SIDE, SIDE, 3); None while there is none."""
        return self._images.get((person.best_face, person.best_frame))

    def request(self, people: Iterable[PersonSummary]) -> None:
        """Make the pictures of these persons, and forget those of others."""
        current = self._recording.current
        media = None if current is None else current.media
        if media is not self._media:
            self._images, self._media = {}, media
        self._wanted = [(one.best_face, one.best_frame) for one in people]
        self._images = {p: image for p, image in self._images.items() if p in self._wanted}
        self._request_next()

    def close(self, timeout_s: float) -> bool:
        """End the worker thread for good. Returns whether it ended in time."""
        self._worker.close()
        return self._worker.join(timeout_s)

    def _request_next(self) -> None:
        results = self._recording.results
        missing = next((place for place in self._wanted if place not in self._images), None)
        if missing is None or self._waits or self._media is None or results is None:
            return
        faces = results.faces(missing[1]) or ()
        points = next((f.stabilized for f in faces if f.face_id == missing[0]), None)
        if points is None:
            self._images[missing] = None
            self._request_next()
        else:
            self._waits = True
            self._worker.request(FacePictureRequest(self._media, missing, points.xy_px))

    def _on_ready(self) -> None:
        reply: FacePictureReply | None = self._worker.newest.take(0)
        self._waits = False
        if reply is None:
            return
        if reply.request.media is self._media and reply.request.place in self._wanted:
            self._images[reply.request.place] = reply.image
            self.changed.emit()
        self._request_next()
