"""The cameras that are here, and what the one to be chosen sees."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.engine.errors import SteadymarkError
from steadymark.engine.latest import Latest
from steadymark.engine.sources import Opening, camera_modes, list_cameras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.app.session.live import OpenFeed
    from steadymark.app.session.open_live import LiveTarget
    from steadymark.engine.sources import CameraInfo, CameraMode
    from steadymark.engine.types import Frame, SourceInfo

    Known = tuple[tuple[CameraInfo, tuple[CameraMode, ...]], ...]

log = logging.getLogger(__name__)


def known_cameras() -> Known:
    """Each camera with the modes it tells of."""
    return tuple((camera, camera_modes(camera)) for camera in list_cameras())


class Devices(QObject):
    """Lives in the GUI thread. found: cameras and their modes; told: a sentence.

    pictured: `frame` is a new picture of the preview; described: its source's SourceInfo. Devices
    are opened, read and closed in threads, one after the other.
    """

    found = Signal(object)
    pictured = Signal()
    described = Signal(object)
    told = Signal(str)
    _came = Signal(object)

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
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)

    def look(self) -> None:
        """`found` follows."""
        self._run(self._list, "cameras")

    def show(self, target: LiveTarget) -> None:
        """Preview this, instead of what is previewed."""
        self.hide()
        view = self._view = _View()
        before = self._threads[-1] if self._threads else None
        self._run(lambda: self._preview(target, view, before), "preview")

    def hide(self) -> None:
        """No preview; the device is let go soon, see `join`."""
        self._view.close()
        self.frame = None

    def join(self, timeout_s: float) -> bool:
        """After `hide`: whether everything has ended, and devices are free."""
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _list(self) -> None:
        try:
            self.found.emit(self._lister())
        except Exception as error:
            log.exception("listing cameras")
            self.told.emit(f"cameras cannot be listed ({type(error).__name__}: {error})")
            self.found.emit(())

    def _preview(self, target: LiveTarget, view: _View, before: Thread | None) -> None:
        if before is not None:
            before.join()
        if view.ended.is_set():
            return
        try:
            source = self._opener(target, lambda _: None, view.opening)
        except SteadymarkError as error:
            self._tell(view, str(error))
            return
        except Exception as error:
            log.exception("preview")
            self._tell(view, f"the camera cannot be opened ({type(error).__name__}: {error})")
            return
        view.opening.on_give_up(source.close)
        try:
            self._show_all(source.frames(), source.info, view)
        except SteadymarkError as error:
            self._tell(view, str(error))
        finally:
            source.close()
            source.join(2.0)

    def _show_all(self, frames: Iterator[Frame], info: SourceInfo, view: _View) -> None:
        if not view.ended.is_set():
            self.described.emit(info)
        for frame in frames:
            if view.pictures.put(frame):
                self._came.emit(view)

    def _tell(self, view: _View, text: str) -> None:
        if not view.ended.is_set():
            self.told.emit(text)

    def _on_came(self, view: _View) -> None:
        frame = view.pictures.take(0)
        if view is self._view and frame is not None:
            self.frame = frame
            self.pictured.emit()


class _View:
    """One preview."""

    def __init__(self) -> None:
        self.opening, self.ended = Opening(), Event()
        self.pictures: Latest[Frame] = Latest()

    def close(self) -> None:
        self.ended.set()
        self.pictures.close()
        self.opening.give_up()
