"""The timeline: tracked frames, frames without a face, jitter and the playback position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.state import Display, clock_text
from steadymark.engine.output.video.draw_style import (
    GREEN,
    PURPLE,
    RAW_COLOUR,
    STEADY_COLOUR,
    VERMILLION,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.recording.results import Results
    from steadymark.models.user_text import UserText

_MARGIN = 10.0
_STRIP, _BAR = 30.0, 12.0
_LEAST_MAV = 1e-6
_TRACKED = GREEN
_DAMAGED = "#000000"
_LOOP = PURPLE


class Timeline(QWidget):
    """The timeline of a recording; a click or drag seeks.

    Attributes:
        sought: Emitted with a frame, and whether the mouse button was released there.
    """

    sought = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Timeline"))
        self.setAccessibleDescription(
            self.tr(
                "Green: a face. Orange: no face. Grey: not processed yet. Black: damaged. "
                "Above: jitter"
            )
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._display: Display | None = None
        self._codes: NDArray[np.int8] | None = None  # (frames,), see _codes
        self._times_s: NDArray[np.float64] = np.zeros(0)
        self._measures: FaceMeasures | None = None
        self._ground: QPixmap | None = None
        self._note: UserText | None = None

    def sizeHint(self) -> QSize:
        return QSize(600, int(_STRIP + _BAR + 12))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, int(_STRIP + _BAR + 12))

    def set_display(self, display: Display) -> None:
        self._display = display
        self.update()

    def set_results(self, results: Results | None) -> None:
        """Show new results of tracking."""
        codes = None if results is None else _codes(results)
        if codes is None or self._codes is None or not np.array_equal(codes, self._codes):
            self._codes = codes
            self._times_s = np.zeros(0) if results is None else results.times_s
            self._ground = None
            self.update()

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self._measures = measures
        self._ground = None
        self.update()

    def set_note(self, note: UserText | None) -> None:
        """Show a sentence above the bar, for a recording without any jitter to paint there."""
        if note != self._note:
            self._note = note
            self._ground = None
            self.setToolTip("" if note is None else translated(note))
            self.update()

    # -- coordinates

    def _track(self) -> QRectF:
        return QRectF(_MARGIN, 4, max(1.0, self.width() - 2 * _MARGIN), _STRIP + _BAR)

    def _x_of(self, frame: float) -> float:
        track, last = self._track(), max(1, len(self._times_s) - 1)
        return track.left() + track.width() * frame / last

    def _frame_at(self, x: float) -> int:
        track, last = self._track(), max(0, len(self._times_s) - 1)
        share = min(max((x - track.left()) / track.width(), 0.0), 1.0)
        return round(share * last)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._ground is None:
            self._ground = self._painted_ground()
        painter.drawPixmap(0, 0, self._ground)
        if self._display is not None and self._codes is not None and len(self._codes):
            self._paint_loop(painter, self._track())
            self._paint_place(painter, self._track())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._ground = None

    def changeEvent(self, event: QEvent) -> None:
        self._ground = None
        super().changeEvent(event)

    def _painted_ground(self) -> QPixmap:
        """Paint the background, which changes with the results but not from frame to frame."""
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ground)
        track = self._track()
        bar = QRectF(track.left(), track.top() + _STRIP, track.width(), _BAR)
        strip = QRectF(track.left(), track.top(), track.width(), _STRIP - 2)
        painter.fillRect(strip, self.palette().color(QPalette.ColorRole.Base))
        painter.fillRect(bar, self.palette().color(QPalette.ColorRole.Mid))
        if self._codes is not None and len(self._codes):
            painter.drawImage(bar, self._bar_image(int(bar.width())))
            self._paint_jitter(painter, strip)
        if self._note is not None:
            self._paint_note(painter, strip, translated(self._note))
        painter.end()
        return ground

    def _paint_note(self, painter: QPainter, place: QRectF, words: str) -> None:
        inside = place.adjusted(6, 0, -6, 0)
        fitting = painter.fontMetrics().elidedText(
            words, Qt.TextElideMode.ElideRight, int(inside.width())
        )
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        painter.drawText(
            inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitting
        )

    def _bar_image(self, width: int) -> QImage:
        """Return one row of pixels; each column has the colour of its frames' highest code."""
        assert self._codes is not None
        empty = self.palette().color(QPalette.ColorRole.Mid)
        colours = [empty, QColor(_TRACKED), QColor(VERMILLION), QColor(_DAMAGED)]
        table = np.array([[c.blue(), c.green(), c.red(), 255] for c in colours], np.uint8)
        count = len(self._codes)
        if count > width > 0:
            starts = np.arange(width) * count // width
            codes = np.maximum.reduceat(self._codes, starts)
            # A column counts as processed only when all of its frames are processed.
            codes[np.minimum.reduceat(self._codes, starts) == 0] = 0
        else:
            codes = self._codes
        row = np.ascontiguousarray(table[codes][None])
        image = QImage(row.data, row.shape[1], 1, row.strides[0], QImage.Format.Format_RGB32)
        return image.copy()

    def _paint_jitter(self, painter: QPainter, place: QRectF) -> None:
        """Paint the MAV over one second, raw and stabilized, on a shared logarithmic scale."""
        measures = self._measures
        if measures is None or len(measures.jitter_raw) != len(self._times_s):
            return
        curves = [
            np.log10(np.maximum(curve, _LEAST_MAV))
            for curve in (measures.jitter_raw, measures.jitter_stabilized)
        ]
        known = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
        if not len(known):
            return
        low, high = (float(v) for v in np.percentile(known, (1, 99)))
        span = max(high - low, 0.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for curve, name in zip(curves, (RAW_COLOUR, STEADY_COLOUR), strict=True):
            colour = QColor(name)
            painter.setPen(QPen(colour, 1.2))
            for line in self._lines(np.clip((curve - low) / span, 0.0, 1.0), place):
                painter.drawPolyline(line)

    def _lines(self, curve: NDArray[np.float64], place: QRectF) -> list[QPolygonF]:
        """Return the curve as polylines with at most two points per column.

        The line is interrupted where the value is not known.
        """
        step = max(1, len(curve) // max(1, int(place.width())))
        whole = len(curve) // step * step
        with np.errstate(invalid="ignore"):
            high = np.fmax.reduce(curve[:whole].reshape(-1, step), axis=1)
        lines, line = [], QPolygonF()
        for i, value in enumerate(high):
            if np.isfinite(value):
                y = place.bottom() - 1 - float(value) * (place.height() - 3)
                line.append(QPointF(self._x_of(i * step), y))
            elif line.size():
                lines.append(line)
                line = QPolygonF()
        return [*lines, line]

    def _paint_loop(self, painter: QPainter, track: QRectF) -> None:
        assert self._display is not None
        first, last = self._display.loop_start, self._display.frame
        if self._display.loop is not None:
            first, last = self._display.loop
        if first is None:
            return
        left, right = sorted((self._x_of(first), self._x_of(last)))
        shade = QColor(_LOOP)
        shade.setAlpha(60)
        painter.fillRect(QRectF(left, track.top(), right - left, track.height()), shade)
        painter.setPen(QPen(QColor(_LOOP), 2))
        for x in (left, right):
            painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))

    def _paint_place(self, painter: QPainter, track: QRectF) -> None:
        assert self._display is not None
        x = self._x_of(self._display.frame)
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.6))
        painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom() + 2))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        top = track.top()
        painter.drawPolygon([QPointF(x - 5, top - 4), QPointF(x + 5, top - 4), QPointF(x, top + 4)])

    # -- mouse events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and len(self._times_s):
            self.sought.emit(self._frame_at(event.position().x()), False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not len(self._times_s):
            return
        frame = self._frame_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(frame, False)
        QToolTip.showText(event.globalPosition().toPoint(), self._told(frame), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and len(self._times_s):
            self.sought.emit(self._frame_at(event.position().x()), True)

    def _told(self, frame: int) -> str:
        assert self._codes is not None
        state = (
            self.tr("not processed yet"),
            self.tr("with a face"),
            self.tr("no face"),
            self.tr("damaged, no image"),
        )[int(self._codes[frame])]
        clock = clock_text(float(self._times_s[frame]))
        return self.tr("{clock}, frame {frame}: {state}").format(
            clock=clock, frame=frame, state=state
        )


def _codes(results: Results) -> NDArray[np.int8]:
    """Return (frames,) codes: 0 unknown, 1 with a face, 2 without a face, 3 damaged."""
    known, seen = results.frame_status(), results.has_faces()
    codes: NDArray[np.int8] = np.where(
        known == FrameStatus.TRACKED, np.where(seen, 1, 2), 3 * (known == FrameStatus.DAMAGED)
    ).astype(np.int8)
    return codes
