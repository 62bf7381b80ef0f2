"""The video with its landmarks: zoom, pan, wipe, side by side, and the hovered landmark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.gui.video.colour_legend import legend_lines, paint_legend
from steadymark.app.gui.video.heatmap_overlay import paint_heatmaps
from steadymark.app.gui.video.hovered_landmark import HOVER_PX, HoveredLandmark, nearest_landmark
from steadymark.app.gui.video.overlay import LandmarkStyle, draw_label, paint_faces, paint_truth
from steadymark.app.gui.video.viewport import Viewport, centred_viewport, fitted_viewport
from steadymark.app.gui.video.visible_image import visible_image
from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED
from steadymark.app.session.state import ComparisonLayout, Display, Phase, ShownLandmarks
from steadymark.engine.output.video.draw_style import RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage

    from steadymark.app.gui.video.shown_frame import ShownFrame

    ViewLayer = Callable[[QPainter, ShownFrame, Viewport], None]

_STEP = 1.25
_BACKGROUND = QColor(22, 22, 24)


@dataclass(frozen=True, slots=True)
class ViewPane:
    """A part of the view with its own landmarks; clip is the visible part of it.

    kinds tells which landmarks are drawn: raw (True) or stabilized (False).
    """

    area: QRectF
    clip: QRectF
    kinds: tuple[bool, ...]
    caption: str = ""


class VideoView(QWidget):
    """The video view.

    Attributes:
        wipe_moved: Emitted when the dividing line is dragged, with its position.
        landmark_clicked: Emitted with a landmark's number.
        zoom_changed: Emitted with the zoom in screen pixels per frame pixel.
        frame_painted: Emitted with the Frame that is on the screen.
        layers: Paint over the stabilized landmarks, in view points.
        landmark_cursor: The shape of the mouse pointer over a landmark.
    """

    wipe_moved = Signal(float)
    landmark_clicked = Signal(int)
    zoom_changed = Signal(float)
    frame_painted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Video"))
        self.setMinimumSize(320, 110)
        self._shown: ShownFrame | None = None
        self._display: Display | None = None
        self._viewport: Viewport | None = None  # None if the picture is fitted
        self._image_cache: dict[object, tuple[QImage, object]] = {}
        self._drag_start: QPointF | None = None
        self._dragging_wipe = False
        self._hovered: HoveredLandmark | None = None
        self.layers: list[ViewLayer] = []
        self.landmark_cursor = Qt.CursorShape.ArrowCursor

    @property
    def shown(self) -> ShownFrame | None:
        return self._shown

    def sizeHint(self) -> QSize:
        return QSize(960, 600)

    def show_frame(self, shown: ShownFrame | None) -> None:
        if shown is None or self._shown is None or shown.frame is not self._shown.frame:
            self._image_cache.clear()
        before, self._shown = self._image_size(), shown
        self._hovered = None
        self.update()
        if self._image_size() != before:
            self._on_viewport_changed()

    def set_display(self, display: Display) -> None:
        if self._display is not None and self._display.path != display.path:
            self.fit()
        self._display = display
        self.update()

    # -- zoom

    def fit(self) -> None:
        """Fit the whole picture into the view, also when the window is resized."""
        self._viewport = None
        self._on_viewport_changed()

    def actual_size(self) -> None:
        """Show each frame pixel as one screen pixel."""
        if self._shown is not None:
            self._viewport = centred_viewport(
                self._image_size(), self._pane_size(), 1 / self.devicePixelRatioF()
            )
            self._on_viewport_changed()

    def zoom(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (positive steps) or out around a point of the view or its centre."""
        if self._shown is None:
            return
        width, height = self._pane_size()
        point = QPointF(width / 2, height / 2) if at is None else at
        self._viewport = self.viewport().zoomed(_STEP**steps, point.x(), point.y())
        self._on_viewport_changed()

    def viewport(self) -> Viewport:
        """Return the viewport, which starts at the top left corner of each pane."""
        size = self._image_size()
        port = self._viewport or fitted_viewport(size, self._pane_size())
        mirrored = self._display is not None and self._display.mirrored
        return replace(port, flip=size[0] if mirrored else 0)

    def _image_size(self) -> tuple[int, int]:
        frame = None if self._shown is None else self._shown.frame
        return (frame.width, frame.height) if frame else (1, 1)

    def _on_viewport_changed(self) -> None:
        self._image_cache.clear()
        self._hovered = None
        self.zoom_changed.emit(self.viewport().scale * self.devicePixelRatioF())
        self.update()

    # -- panes

    def _side_by_side(self) -> bool:
        return self._display is not None and self._display.layout is ComparisonLayout.SIDE

    def _pane_size(self) -> tuple[float, float]:
        return self.width() / (2 if self._side_by_side() else 1), float(self.height())

    def _wipe_x(self) -> float:
        """Return the position of the dividing line in view points."""
        assert self._display is not None
        if self._shown is None:
            return 0.0
        port = self.viewport()
        return port.x + self._display.wipe * self._shown.frame.width * port.scale

    def _panes(self) -> list[ViewPane]:
        display = self._display
        whole = QRectF(self.rect())
        if display is None or display.shown_landmarks is ShownLandmarks.OFF:
            return [ViewPane(whole, whole, ())]
        first, second = (variant_name(variant) for variant in display.variants)
        if display.shown_landmarks is not ShownLandmarks.BOTH:
            return [ViewPane(whole, whole, (display.shown_landmarks is ShownLandmarks.RAW,))]
        if display.layout is ComparisonLayout.SIDE:
            half = QRectF(0, 0, whole.width() / 2, whole.height())
            other = half.translated(half.width(), 0)
            return [ViewPane(half, half, (True,), first), ViewPane(other, other, (False,), second)]
        if display.layout is ComparisonLayout.WIPE:
            x = min(max(self._wipe_x(), 0.0), whole.width())
            left, right = QRectF(whole), QRectF(whole)
            left.setRight(x)
            right.setLeft(x)
            return [ViewPane(whole, left, (True,), first), ViewPane(whole, right, (False,), second)]
        return [ViewPane(whole, whole, (True, False))]

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint(painter)
        painter.end()
        if self._shown is not None:
            self.frame_painted.emit(self._shown.frame)

    def paint(self, painter: QPainter) -> None:
        """Paint the whole view at its size."""
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._shown is None or self._display is None:
            return
        panes = self._panes()
        for pane in panes:
            painter.save()
            painter.setClipRect(pane.clip)
            painter.translate(pane.area.topLeft())
            self._paint_image(painter)
            self._paint_faces(painter, pane)
            painter.restore()
            if pane.caption:
                self._paint_caption(painter, pane)
        if self._shown.faces is None:
            words = self.tr("not processed yet")
            draw_label(painter, QPointF(18, 26), words, QColor("white"))
        if self._display.phase is Phase.RECONNECTING:
            words = self.tr("No frames arrive: reconnecting…")
            draw_label(painter, QPointF(18, 26), words, QColor("white"))
        self._paint_divider(painter)
        self._paint_legend(painter)
        if self._display.shown_landmarks is not ShownLandmarks.OFF:
            lines = legend_lines(self._display.overlay, corrected=bool(self._shown.corrected))
            paint_legend(painter, lines, self.width())
        self._paint_hovered(painter)

    def _paint_image(self, painter: QPainter) -> None:
        assert self._shown is not None
        ratio, port, size = self.devicePixelRatioF(), self.viewport(), self._pane_size()
        key = (port, size, ratio)
        if key not in self._image_cache:
            image, place = visible_image(self._shown.frame.image, port, size, ratio)
            image.setDevicePixelRatio(ratio)
            self._image_cache = {key: (image, QPointF(place.x() / ratio, place.y() / ratio))}
        image, at = self._image_cache[key]
        assert isinstance(at, QPointF)
        painter.drawImage(at, image)

    def _paint_faces(self, painter: QPainter, pane: ViewPane) -> None:
        assert self._shown is not None
        assert self._display is not None
        if self._shown.truth is not None and self._display.overlay.truth:
            paint_truth(painter, self._shown.truth, self.viewport())
        if self._display.overlay.heatmaps:
            heatmaps, chosen = self._shown.heatmaps, self._display.landmark
            paint_heatmaps(painter, self._shown.faces or (), heatmaps, self.viewport(), chosen)
        both = self._display.shown_landmarks is ShownLandmarks.BOTH
        single = len(self._shown.faces or ()) == 1  # faces are told apart by their colours
        for raw in pane.kinds:
            colour = (RAW_COLOUR if raw else STEADY_COLOUR) if both or (raw and single) else None
            trails = self._shown.trails.get(raw, {})
            style = LandmarkStyle(raw, colour, trails, self._shown.schema, self._shown.names)
            paint_faces(
                painter, self._shown.faces or (), self.viewport(), self._display.overlay, style
            )
        if False in pane.kinds:
            for layer in self.layers:
                layer(painter, self._shown, self.viewport())

    def _paint_caption(self, painter: QPainter, pane: ViewPane) -> None:
        raw = pane.kinds[0]
        width = painter.fontMetrics().horizontalAdvance(pane.caption)
        left = pane.clip.left() + 18
        if self._display is not None and self._display.layout is ComparisonLayout.WIPE and raw:
            left = pane.clip.right() - width - 18
        painter.setClipRect(pane.clip)
        colour = QColor(RAW_COLOUR if raw else STEADY_COLOUR)
        draw_label(painter, QPointF(left, pane.clip.bottom() - 18), pane.caption, colour)
        painter.setClipping(False)

    def _paint_legend(self, painter: QPainter) -> None:
        """Paint the colours of the variants if both are drawn over each other."""
        display = self._display
        assert display is not None
        if (
            display.shown_landmarks is not ShownLandmarks.BOTH
            or display.layout is not ComparisonLayout.TOGETHER
        ):
            return
        left = 18.0
        for variant, colour in zip(display.variants, (RAW_COLOUR, STEADY_COLOUR), strict=True):
            at = QPointF(left, self.height() - 18)
            left = draw_label(painter, at, variant_name(variant), QColor(colour)).right() + 14

    def _paint_divider(self, painter: QPainter) -> None:
        """Paint the line between two panes, with a grip if it can be dragged."""
        assert self._display is not None
        if self._display.layout is ComparisonLayout.TOGETHER:
            return
        wipe = self._display.layout is ComparisonLayout.WIPE
        x = self._wipe_x() if wipe else self.width() / 2
        for pen in (QPen(QColor(0, 0, 0, 160), 4), QPen(QColor("white"), 1.5)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        if wipe:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor("white"))
            painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
            painter.drawRoundedRect(QRectF(x - 5, self.height() / 2 - 18, 10, 36), 5, 5)

    def _paint_hovered(self, painter: QPainter) -> None:
        if self._hovered is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor("white"), 2))
            painter.drawEllipse(self._hovered.position, 7, 7)

    # -- mouse events

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(event.angleDelta().y() / 120, self._in_pane(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        self._dragging_wipe = self._is_on_wipe_line(event.position())
        self._drag_start = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_start is None:
            self._hover(event)
            return
        if self._dragging_wipe and self._shown is not None:
            port = self.viewport()
            x = (event.position().x() - port.x) / port.scale
            self.wipe_moved.emit(x / self._shown.frame.width)
            return
        by = event.position() - self._drag_start
        self._drag_start = event.position()
        if self._shown is not None:
            self._viewport = self.viewport().moved(by.x(), by.y())
            self._on_viewport_changed()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_start, self._dragging_wipe = None, False
        found = self.landmark_at(event.position())
        if found is not None and event.button() is Qt.MouseButton.LeftButton:
            self.landmark_clicked.emit(found.index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(self.tr("Video"))
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._on_viewport_changed()

    def _is_on_wipe_line(self, at: QPointF) -> bool:
        wipe = self._display is not None and self._display.layout is ComparisonLayout.WIPE
        return wipe and abs(at.x() - self._wipe_x()) < HOVER_PX

    def _in_pane(self, at: QPointF) -> QPointF:
        width = self._pane_size()[0]
        return QPointF(at.x() % width if self._side_by_side() else at.x(), at.y())

    def _hover(self, event: QMouseEvent) -> None:
        at = event.position()
        near = self.landmark_at(at)
        over = Qt.CursorShape.ArrowCursor if near is None else self.landmark_cursor
        self.setCursor(Qt.CursorShape.SplitHCursor if self._is_on_wipe_line(at) else over)
        if near == self._hovered:
            return
        self._hovered = near
        if near is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), near.text, self)
        self.update()

    def landmark_at(self, at: QPointF, *, raw: bool = True) -> HoveredLandmark | None:
        """Return the landmark at a point of the view.

        Args:
            at: The point.
            raw: Whether raw landmarks count besides stabilized ones.
        """
        pane = next((p for p in self._panes() if p.clip.contains(at) and p.kinds), None)
        if self._shown is None or pane is None:
            return None
        names = {kind: name for kind, name in self._variant_names(pane).items() if raw or not kind}
        corner = pane.area.topLeft()
        port = self.viewport().moved(corner.x(), corner.y())
        return nearest_landmark(self._shown, names, port, at)

    def _variant_names(self, pane: ViewPane) -> dict[bool, str]:
        both = self._display is not None and self._display.shown_landmarks is ShownLandmarks.BOTH
        pair = self._display.variants if self._display is not None and both else RAW_AND_STABILIZED
        return {raw: variant_name(pair[0 if raw else 1]) for raw in pane.kinds}
