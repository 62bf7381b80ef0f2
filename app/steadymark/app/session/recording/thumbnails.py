"""Thumbnails of the open recording, which a thread of low priority decodes."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.engine.core.errors import SteadymarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.engine.sources.picture_reader import PictureReader
    from steadymark.models.face.crop import Image

log = logging.getLogger(__name__)

THUMBNAIL_PX = 76  # height of the pictures, for screens with two pixels in a point
_MOST = 500  # pictures that are kept
_NICER = 5  # how much lower the priority of the thread is


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A picture of some frames, (H, W, 3) uint8 BGR; None if they are damaged."""

    frames: range
    image: Image | None


class ThumbnailWorker(NewestWorker["range", "Thumbnail"]):
    """Decodes thumbnails of one recording on a thread of its own.

    Args:
        open_reader: Opens the recording; it is called in the thread.
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(
        self, open_reader: Callable[[], PictureReader], on_ready: Callable[[], None]
    ) -> None:
        super().__init__("thumbnails", on_ready)
        self._open_reader = open_reader
        self._reader: PictureReader | None = None

    def _run(self) -> None:
        if sys.platform == "linux":  # elsewhere, this is not possible for a single thread
            thread = threading.get_native_id()
            nice = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(nice + _NICER, 19))
        try:
            super()._run()
        finally:
            if self._reader is not None:
                self._reader.close()

    def _answer(self, request: range) -> Thumbnail:
        try:
            if self._reader is None:
                self._reader = self._open_reader()
            picture = self._reader.picture(request)
        except SteadymarkError:
            return Thumbnail(request, None)
        except Exception:
            log.exception("thumbnail")
            return Thumbnail(request, None)
        height, width = picture.shape[:2]
        size = max(1, round(width * THUMBNAIL_PX / height)), THUMBNAIL_PX
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return Thumbnail(request, np.ascontiguousarray(small))


class Thumbnails(QObject):
    """The thumbnails of the open recording. It lives in the GUI thread.

    Nothing is decoded while the recording plays.

    Attributes:
        changed: Emitted when there is a new picture.
        aspect: The width of the pictures divided by their height.

    Args:
        recording: The recording.
        is_playing: Returns whether it plays.
    """

    changed = Signal()
    _ready = Signal()

    def __init__(self, recording: RecordingView, is_playing: Callable[[], bool]) -> None:
        super().__init__(recording)
        self._is_playing = is_playing
        self._ready.connect(self._on_ready, Qt.ConnectionType.QueuedConnection)
        self._worker: ThumbnailWorker | None = None
        self._closed: list[ThumbnailWorker] = []  # workers whose threads may still run
        self._pictures: OrderedDict[range, Image | None] = OrderedDict()
        self._wanted: tuple[range, ...] = ()
        self._requested: range | None = None
        self.aspect = 1.0
        recording.recording_opened.connect(self._open)
        recording.changed.connect(self._request)

    def want(self, frames: Sequence[range]) -> None:
        """Decode a picture of each of these ranges of frames, and forget earlier wishes."""
        self._wanted = tuple(frames)
        self._request()

    def picture(self, frames: range) -> Image | None:
        """Return the picture (H, W, 3) of a range of frames, or None if there is none yet."""
        found = self._pictures.get(frames)
        if found is not None:
            self._pictures.move_to_end(frames)
        return found

    def forget(self) -> None:
        """Forget the recording, since it is closed."""
        if self._worker is not None:
            self._worker.close()
            self._closed = [one for one in self._closed if not one.join(0)]
            self._closed.append(self._worker)
        self._worker, self._requested, self._wanted = None, None, ()
        self._pictures.clear()

    def close(self, timeout_s: float) -> bool:
        """End the threads for good. Returns whether all of them ended in time."""
        self.forget()
        ended = [one.join(timeout_s) for one in self._closed]
        return all(ended)

    def _open(self, recording: OpenRecording) -> None:
        self.forget()
        info = recording.media.info
        self.aspect = info.width / info.height
        self._worker = ThumbnailWorker(recording.media.picture_reader, self._ready.emit)

    def _request(self) -> None:
        """Request the next picture, unless one is being decoded or the recording plays."""
        if self._worker is None or self._requested is not None or self._is_playing():
            return
        missing = (frames for frames in self._wanted if frames not in self._pictures)
        self._requested = next(missing, None)
        if self._requested is not None:
            self._worker.request(self._requested)

    def _on_ready(self) -> None:
        worker = self._worker
        made = None if worker is None else worker.newest.take(0)
        if made is None:
            return
        self._requested = None
        self._pictures[made.frames] = made.image
        while len(self._pictures) > _MOST:
            self._pictures.popitem(last=False)
        self.changed.emit()
        self._request()
