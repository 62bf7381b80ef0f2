"""A face whose landmarks are coloured by their mean error, for each of two variants."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from steadymark.app.gui.i18n.display_names import landmark_name
from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.theme import SMALL, scaled_font
from steadymark.engine.output.video.draw_style import ORANGE, SKY_BLUE, VERMILLION

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent

    from steadymark.app.gui.errors.shown_errors import ShownErrors

_COLOURS = (SKY_BLUE, ORANGE, VERMILLION)  # from no error to the largest
_RADIUS, _RADII_PX = 0.028, (3.0, 7.0)  # of the largest error: share of the face, and limits
_LEAST_RADIUS = 0.35  # radius of a landmark without an error, compared with the largest
_HOVER_PX = 10.0
_EDGE_PX, _BAR_PX = 10.0, 8.0
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)


def error_colour(share: float) -> QColor:
    """Return the colour of an error.

    Args:
        share: The error, divided by the largest one of the scale.
    """
    place = min(max(share, 0.0), 1.0) * (len(_COLOURS) - 1)
    low = min(int(place), len(_COLOURS) - 2)
    first, second, part = QColor(_COLOURS[low]), QColor(_COLOURS[low + 1]), place - low
    pairs = (
        (first.redF(), second.redF()),
        (first.greenF(), second.greenF()),
        (first.blueF(), second.blueF()),
    )
    return QColor.fromRgbF(*((1 - part) * a + part * b for a, b in pairs))


def scale_end(largest: float) -> float:
    """Return a round number that is not below the largest error, where the colours end."""
    if not math.isfinite(largest) or largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in _STEPS if step * power >= largest * (1 - 1e-9))


class FaceDiagram(QWidget):
    """The mean face of the schema, once for each variant, coloured by the errors."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Mean error of each landmark"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._shown: ShownErrors | None = None
        self._end = 1.0

    def sizeHint(self) -> QSize:
        return QSize(320, 220)

    def minimumSizeHint(self) -> QSize:
        return QSize(136, 100)

    def show_errors(self, shown: ShownErrors | None) -> None:
        """Show these errors, or nothing."""
        self._shown = shown
        if shown is not None:
            known = np.concatenate([one.by_landmark for one in shown.pair])
            known = known[np.isfinite(known)]
            self._end = scale_end(float(known.max()) if len(known) else 0.0)
            self.setAccessibleDescription(self._words(shown))
        self.update()

    def position(self, variant: int, landmark: int) -> QPointF:
        """Return where a landmark of one of the variants is painted."""
        assert self._shown is not None
        x, y = self._shown.schema.mean_shape[landmark].astype(float)
        box, side = self._box(variant)
        return QPointF(box.center().x() + side * x, box.center().y() + side * y)

    def landmark_at(self, at: QPointF) -> tuple[int, int] | None:
        """Return the variant and the number of the landmark at a position, or None."""
        if self._shown is None:
            return None
        best, least = None, _HOVER_PX
        for variant in (0, 1):
            for landmark in range(self._shown.schema.count):
                place = self.position(variant, landmark)
                away = math.hypot(place.x() - at.x(), place.y() - at.y())
                if away < least:
                    best, least = (variant, landmark), away
        return best

    def tooltip(self, landmark: int) -> str:
        """Return the number and the name of a landmark with both errors."""
        shown = self._shown
        assert shown is not None
        lines = [f"<b>{landmark} {landmark_name(landmark, shown.schema)}</b>"]
        for name, one in zip(shown.names, shown.pair, strict=True):
            lines.append(f"{escape(name)}: {number_text(float(one.by_landmark[landmark]), 2, '%')}")
        return "<qt>" + "<br>".join(lines) + "</qt>"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.landmark_at(event.position())
        text = "" if found is None else self.tooltip(found[1])
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def changeEvent(self, event: QEvent) -> None:
        self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._shown is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled_font(self.font(), SMALL))
        for variant in (0, 1):
            self._paint_face(painter, self._shown, variant)
        self._paint_scale(painter)

    def _text_px(self) -> float:
        return self.fontMetrics().height() * SMALL + 4

    def _box(self, variant: int) -> tuple[QRectF, float]:
        """Return the place of a face, and the length in pixels of the unit of its shape."""
        assert self._shown is not None
        line = self._text_px()
        width = self.width() / 2
        place = QRectF(variant * width, line, width, self.height() - 2 * line - _BAR_PX - 4)
        place = place.adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        extent = np.ptp(self._shown.schema.mean_shape, axis=0)
        side = min(place.width() / float(extent[0]), place.height() / float(extent[1]))
        return place, max(1.0, side)

    def _paint_face(self, painter: QPainter, shown: ShownErrors, variant: int) -> None:
        palette, (_, side) = self.palette(), self._box(variant)
        places = [self.position(variant, index) for index in range(shown.schema.count)]
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for indices, closed in shown.schema.contours:
            line = QPolygonF([places[i] for i in (*indices, *(indices[:1] if closed else ()))])
            painter.drawPolyline(line)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Window), 1))
        errors = shown.pair[variant].by_landmark
        for index in np.argsort(np.nan_to_num(errors)).tolist():  # the largest on top
            share = float(errors[index]) / self._end
            known = math.isfinite(share)
            part = _LEAST_RADIUS + (1 - _LEAST_RADIUS) * (min(share, 1.0) if known else 0.0)
            radius = part * min(max(_RADIUS * side, _RADII_PX[0]), _RADII_PX[1])
            faint = palette.color(QPalette.ColorRole.Mid)
            painter.setBrush(error_colour(share) if known else faint)
            painter.drawEllipse(places[index], radius, radius)
        width = self.width() / 2
        title = QRectF(variant * width + 4, 0, width - 8, self._text_px())
        text = painter.fontMetrics().elidedText(
            shown.names[variant], Qt.TextElideMode.ElideRight, int(title.width())
        )
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(title, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_scale(self, painter: QPainter) -> None:
        """Paint the colours of the scale, with the numbers at its ends."""
        ends = [number_text(0, 0, "%"), number_text(self._end, 2, "%")]
        metrics, line = painter.fontMetrics(), self._text_px()
        left, right = (metrics.horizontalAdvance(text) + 6.0 for text in ends)
        top = self.height() - line
        bar = QRectF(_EDGE_PX + left, top + (line - _BAR_PX) / 2, 0, _BAR_PX)
        bar.setRight(self.width() - _EDGE_PX - right)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for number, colour in enumerate(_COLOURS):
            gradient.setColorAt(number / (len(_COLOURS) - 1), QColor(colour))
        painter.fillRect(bar, gradient)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.drawText(QRectF(_EDGE_PX, top, left, line), middle, ends[0])
        painter.drawText(QRectF(bar.right() + 6, top, right, line), middle, ends[1])

    def _words(self, shown: ShownErrors) -> str:
        """Return the landmark with the largest error of each variant, for screen readers."""
        parts = []
        for name, one in zip(shown.names, shown.pair, strict=True):
            if np.isfinite(one.by_landmark).any():
                worst = int(np.nanargmax(one.by_landmark))
                error = number_text(float(one.by_landmark[worst]), 2, "%")
                words = self.tr("{name}: the largest error is {error}, of {landmark}")
                landmark = f"{worst} {landmark_name(worst, shown.schema)}"
                parts.append(words.format(name=name, error=error, landmark=landmark))
        return "; ".join(parts)
