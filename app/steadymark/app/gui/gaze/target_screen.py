"""The points that a person looks at, one after another on the whole screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter
from PySide6.QtWidgets import QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.gaze.fixations import Fixations
from steadymark.engine.output.video.draw_style import ORANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QScreen

    from steadymark.app.session.gaze.screen_points import ScreenSetup
    from steadymark.engine.core.types import TrackedFace

_EVERY_MS = 30
_LARGE_PX, _SMALL_PX, _DOT_PX = 44.0, 13.0, 3.0  # radii of the target
_TEXT_AT = 0.3  # of the height of the screen, where no point is
_BACKGROUND, _TEXT, _CENTRE = QColor(48, 48, 48), QColor(225, 225, 225), QColor(20, 20, 20)


class TargetScreen(QWidget):
    """Shows one point after another, and collects the gaze at each.

    Args:
        setup: The screen and its points.
        clock: Returns the time in seconds.

    Attributes:
        finished: Emitted with whether all points were shown; otherwise the user has cancelled.
        fixations: What was collected.
    """

    finished = Signal(bool)

    def __init__(
        self, setup: ScreenSetup, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self.setWindowTitle(self.tr("Gaze calibration"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._clock, self._ended = clock, False
        self.fixations = Fixations(setup, clock())
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._advance)

    def begin(self, screen: QScreen) -> None:
        """Cover this screen, and show the first point."""
        self.setGeometry(screen.geometry())
        self.showFullScreen()
        self.activateWindow()
        self._timer.start()

    def add(self, faces: Sequence[TrackedFace]) -> None:
        """Add the faces of the next frame of the camera."""
        self.fixations.add(faces, self._clock())
        self._advance()

    def end(self, *, complete: bool) -> None:
        """Close the screen, and emit `finished` once."""
        if not self._ended:
            self._ended = True
            self._timer.stop()
            self.close()
            self.finished.emit(complete)

    def place_of(self, point: tuple[float, float]) -> QPointF:
        """Return where a point of the screen is in this widget, which may not cover all of it."""
        area = self.screen().geometry()
        x, y = area.x() + point[0] * area.width(), area.y() + point[1] * area.height()
        return QPointF(self.mapFromGlobal(QPoint(round(x), round(y))))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # no command of the window is meant, such as the one that Esc calls
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Cancel):
            self.end(complete=False)
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.end(complete=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        now_s, painter = self._clock(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), _BACKGROUND)
        self._paint_text(painter, now_s)
        centre = self.place_of(self.fixations.target)
        radius = _LARGE_PX + (_SMALL_PX - _LARGE_PX) * self.fixations.settled(now_s)
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, size in ((QColor(ORANGE), radius), (_CENTRE, _DOT_PX)):
            painter.setBrush(colour)
            painter.drawEllipse(centre, size, size)

    def _paint_text(self, painter: QPainter, now_s: float) -> None:
        number = min(self.fixations.number + 1, self.fixations.count)
        told = translated(self.fixations.hint(now_s)) or self.tr(
            "Look at the centre of the point until the next one appears. Esc cancels."
        )
        count = self.tr("{number} of {count}").format(number=number, count=self.fixations.count)
        font = self.font()
        font.setPointSizeF(1.3 * font.pointSizeF())
        painter.setFont(font)
        painter.setPen(_TEXT)
        area = QRectF(self.rect().adjusted(24, round(_TEXT_AT * self.height()) - 40, -24, 0))
        area.setHeight(80)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area, flags, f"{told}\n{count}")

    def _advance(self) -> None:
        self.fixations.advance(self._clock())
        if self.fixations.done:
            self.end(complete=True)
        else:
            self.update()
