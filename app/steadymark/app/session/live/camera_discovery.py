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

    CameraList = tuple[tuple[CameraInfo, tuple[CameraMode, ...]], ...]

log = logging.getLogger(__name__)


def connected_cameras() -> CameraList:
    """List the connected cameras, each with the modes that it reports."""
    return tuple((camera, camera_modes(camera)) for camera in list_cameras())


class CameraDiscovery(QObject):
    """Lists cameras and previews one of them. It lives in the GUI thread.

    Devices are opened, read and closed in threads, one after the other.

    Attributes:
        cameras_found: Emitted with a CameraList: the cameras and their modes.
        frame_changed: Emitted when `frame` is a new picture of the preview.
        info_changed: Emitted with the SourceInfo of the previewed camera.
        message_posted: Emitted with a UserText: a fault for the user.
        frame: The newest picture of the preview, or None.
    """

    cameras_found = Signal(object)
    frame_changed = Signal()
    info_changed = Signal(object)
    message_posted = Signal(object)
    _gui_calls = Signal(object)  # a function that the GUI thread is to call

    def __init__(
        self,
        opener: OpenFeed,
        find_cameras: Callable[[], CameraList] = connected_cameras,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._opener, self._find_cameras = opener, find_cameras
        self._threads: list[Thread] = []
        self._current = _Preview()
        self.frame: Frame | None = None
        self._gui_calls.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def refresh(self) -> None:
        """Start to list the cameras. The signal `cameras_found` follows."""
        self._run(self._list, "cameras")

    def show(self, target: LiveTarget) -> None:
        """Preview this camera or stream in place of the current preview."""
        self.hide()
        preview = self._current
        before = self._threads[-1] if self._threads else None
        self._run(lambda: self._run_preview(target, preview, before), "preview")

    def hide(self) -> None:
        """End the preview. The device is released soon afterwards, see `join`."""
        self._current.close()
        self._current, self.frame = _Preview(), None

    def end(self) -> None:
        """End the preview and block all signals because the user no longer chooses a camera."""
        self.blockSignals(True)
        self.hide()

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads after `hide` or `end`. Returns whether all devices are released."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _call(self, act: Callable[[], object]) -> None:
        act()

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _list(self) -> None:
        cameras: CameraList = ()
        text = NOTHING
        try:
            cameras = self._find_cameras()
        except Exception as error:
            log.exception("listing cameras")
            named = f"{type(error).__name__}: {error}"
            text = UserText("cameras cannot be listed ({fault})", fault=named)

        def emit_cameras() -> None:
            self.cameras_found.emit(cameras)
            if text:
                self.message_posted.emit(text)

        self._gui_calls.emit(emit_cameras)

    def _run_preview(self, target: LiveTarget, preview: _Preview, before: Thread | None) -> None:
        if before is not None:
            before.join()
        if preview.ended.is_set():
            return
        try:
            source = self._opener(target, lambda _: None, preview.opening)
        except SteadymarkError as error:
            self._post_message(preview, error.sentence)
            return
        except Exception as error:
            log.exception("preview")
            named = f"{type(error).__name__}: {error}"
            self._post_message(
                preview, UserText("the camera cannot be opened ({fault})", fault=named)
            )
            return
        preview.opening.on_cancel(source.close)
        try:
            self._show_frames(source.frames(), source.info, preview)
        except SteadymarkError as error:
            self._post_message(preview, error.sentence)
        finally:
            source.close()
            source.join(2.0)

    def _show_frames(self, frames: Iterator[Frame], info: SourceInfo, preview: _Preview) -> None:
        self._gui_calls.emit(lambda: self._emit_if_current(preview, self.info_changed, info))
        for frame in frames:
            if preview.pictures.put(frame):
                self._gui_calls.emit(lambda: self._on_frame(preview))

    def _post_message(self, preview: _Preview, text: UserText) -> None:
        self._gui_calls.emit(lambda: self._emit_if_current(preview, self.message_posted, text))

    def _emit_if_current(self, preview: _Preview, signal: SignalInstance, value: object) -> None:
        if preview is self._current:
            signal.emit(value)

    def _on_frame(self, preview: _Preview) -> None:
        frame = preview.pictures.take(0)
        if preview is self._current and frame is not None:
            self.frame = frame
            self.frame_changed.emit()


class _Preview:
    """The state of one preview."""

    def __init__(self) -> None:
        self.opening, self.ended = OpenAttempt(), Event()
        self.pictures: LatestValue[Frame] = LatestValue()

    def close(self) -> None:
        self.ended.set()
        self.pictures.close()
        self.opening.cancel()
