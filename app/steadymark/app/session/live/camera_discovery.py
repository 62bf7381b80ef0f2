"""The cameras that are connected, and a preview of one of them."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.engine.sources import OpenAttempt, camera_modes, list_cameras
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtCore import SignalInstance

    from steadymark.app.session.live.live_view import OpenFeed
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.engine.core.types import Frame, SourceInfo
    from steadymark.engine.sources import CameraInfo, CameraMode

    Known = tuple[tuple[CameraInfo, tuple[CameraMode, ...]], ...]

log = logging.getLogger(__name__)


def known_cameras() -> Known:
    """List the connected cameras, each with the modes that it reports."""
    return tuple((camera, camera_modes(camera)) for camera in list_cameras())


class CameraDiscovery(QObject):
    """Lists cameras and previews one of them. It lives in the GUI thread.

    The signals are: found (cameras and their modes), told (a UserText), pictured (`frame` is a new
    picture of the preview) and described (the SourceInfo of the previewed camera). Devices are
    opened, read and closed in threads, one after the other.
    """

    found = Signal(object)
    pictured = Signal()
    described = Signal(object)
    told = Signal(object)
    _home = Signal(object)  # a function that the GUI thread is to call

    def __init__(
        self,
        opener: OpenFeed,
        lister: Callable[[], Known] = known_cameras,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._opener, self._lister = opener, lister
        self._threads: list[Thread] = []
        self._view = _View()
        self.frame: Frame | None = None
        self._home.connect(self._do, Qt.ConnectionType.QueuedConnection)

    def look(self) -> None:
        """Start to list the cameras. The signal `found` follows."""
        self._run(self._list, "cameras")

    def show(self, target: LiveTarget) -> None:
        """Preview this camera or stream in place of the current preview."""
        self.hide()
        view = self._view
        before = self._threads[-1] if self._threads else None
        self._run(lambda: self._preview(target, view, before), "preview")

    def hide(self) -> None:
        """End the preview. The device is released soon afterwards, see `join`."""
        self._view.close()
        self._view, self.frame = _View(), None

    def end(self) -> None:
        """End the preview and block all signals because the user no longer chooses a camera."""
        self.blockSignals(True)
        self.hide()

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads after `hide` or `end`. Returns whether all devices are released."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _do(self, act: Callable[[], object]) -> None:
        act()

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _list(self) -> None:
        known: Known = ()
        text = NOTHING
        try:
            known = self._lister()
        except Exception as error:
            log.exception("listing cameras")
            named = f"{type(error).__name__}: {error}"
            text = UserText("cameras cannot be listed ({fault})", fault=named)

        def bring() -> None:
            self.found.emit(known)
            if text:
                self.told.emit(text)

        self._home.emit(bring)

    def _preview(self, target: LiveTarget, view: _View, before: Thread | None) -> None:
        if before is not None:
            before.join()
        if view.ended.is_set():
            return
        try:
            source = self._opener(target, lambda _: None, view.opening)
        except SteadymarkError as error:
            self._tell(view, error.sentence)
            return
        except Exception as error:
            log.exception("preview")
            named = f"{type(error).__name__}: {error}"
            self._tell(view, UserText("the camera cannot be opened ({fault})", fault=named))
            return
        view.opening.on_cancel(source.close)
        try:
            self._show_all(source.frames(), source.info, view)
        except SteadymarkError as error:
            self._tell(view, error.sentence)
        finally:
            source.close()
            source.join(2.0)

    def _show_all(self, frames: Iterator[Frame], info: SourceInfo, view: _View) -> None:
        self._home.emit(lambda: self._of(view, self.described, info))
        for frame in frames:
            if view.pictures.put(frame):
                self._home.emit(lambda: self._on_picture(view))

    def _tell(self, view: _View, text: UserText) -> None:
        self._home.emit(lambda: self._of(view, self.told, text))

    def _of(self, view: _View, signal: SignalInstance, value: object) -> None:
        if view is self._view:
            signal.emit(value)

    def _on_picture(self, view: _View) -> None:
        frame = view.pictures.take(0)
        if view is self._view and frame is not None:
            self.frame = frame
            self.pictured.emit()


class _View:
    """The state of one preview."""

    def __init__(self) -> None:
        self.opening, self.ended = OpenAttempt(), Event()
        self.pictures: LatestValue[Frame] = LatestValue()

    def close(self) -> None:
        self.ended.set()
        self.pictures.close()
        self.opening.cancel()
