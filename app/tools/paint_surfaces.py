"""Other ways to paint the video, which `bench_paint` compares with the one in use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage, QPainter
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QRhiWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QRhiCommandBuffer

    from steadymark.app.gui.video.video_view import VideoView


class GlSurface(QOpenGLWidget):
    """Surface that uses QPainter on OpenGL: images become textures, overlays become triangles."""

    def __init__(self, view: VideoView, paints: list[float]) -> None:
        super().__init__(view)
        self._view, self._paints = view, paints

    def paintGL(self) -> None:
        _timed(self._paint, self._paints)

    def _paint(self) -> None:
        painter = QPainter(self)
        self._view.paint(painter)
        painter.end()


class RhiSurface(QRhiWidget):
    """Surface that paints on an image and uploads it to the GPU as one texture."""

    def __init__(self, view: VideoView, paints: list[float]) -> None:
        super().__init__(view)
        self._view, self._paints = view, paints

    def render(self, commands: QRhiCommandBuffer) -> None:  # type: ignore[override]
        _timed(lambda: self._paint(commands), self._paints)

    def _paint(self, commands: QRhiCommandBuffer) -> None:
        size = self.renderTarget().pixelSize()
        image = QImage(size, QImage.Format.Format_RGBA8888_Premultiplied)
        image.setDevicePixelRatio(self.devicePixelRatioF())
        painter = QPainter(image)
        self._view.paint(painter)
        painter.end()
        batch = self.rhi().nextResourceUpdateBatch()
        batch.uploadTexture(self.colorTexture(), image)
        commands.resourceUpdate(batch)


def use_surface(view: VideoView, surface: str, paints: list[float]) -> None:
    """Make the view paint on this surface from now on.

    Args:
        view: The view.
        surface: The kind of surface: widget, opengl or rhi.
        paints: Receives the CPU time of each paint in milliseconds.
    """
    if surface == "widget":
        paint = view.paint
        view.paint = lambda painter: _timed(lambda: paint(painter), paints)  # type: ignore[method-assign]
        return
    surface_widget: QWidget = (GlSurface if surface == "opengl" else RhiSurface)(view, paints)
    surface_widget.resize(view.size())
    surface_widget.show()
    original_resize = view.resizeEvent

    def resized(event: object) -> None:
        surface_widget.resize(view.size())
        original_resize(event)  # type: ignore[arg-type]

    view.resizeEvent = resized  # type: ignore[method-assign]
    view.update = surface_widget.update  # type: ignore[method-assign]
    view.paintEvent = lambda event: None  # type: ignore[method-assign]


def _timed(paint: Callable[[], None], paints: list[float]) -> None:
    start_s = time.thread_time()
    paint()
    paints.append((time.thread_time() - start_s) * 1e3)
