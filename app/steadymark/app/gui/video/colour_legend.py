"""The legend of the colours of scores and speeds, in a corner of the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from steadymark.app.gui.i18n.local_numbers import significant_text
from steadymark.app.gui.video.overlay import LABEL_BACKGROUND, SPEED_BANDS
from steadymark.engine.output.video.draw_style import CORRECTED_COLOUR, SCORE_BANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPainter

    from steadymark.app.session.state import OverlayOptions

# side of a colour patch, gap between items, distance to the view's edge
_SIDE, _GAP, _EDGE = 10.0, 6.0, 12.0
_LEAST_VIEW = 320.0  # width of the view below which the legend would cover too much
translate = QCoreApplication.translate

Line = tuple[str, list[tuple[str, str]]]  # a title, and its colours with their meanings


def legend_lines(overlay: OverlayOptions, *, corrected: bool = False) -> list[Line]:
    """Return the lines of the legend for the colours that are in use.

    Args:
        overlay: What is drawn.
        corrected: Whether there are corrected landmarks.
    """
    lines: list[Line] = []
    if overlay.scores and overlay.points:
        lines.append((translate("colour_key", "score"), _ranges(SCORE_BANDS)))
    if overlay.trails:
        lines.append((translate("colour_key", "speed, % of the face/s"), _ranges(SPEED_BANDS)))
    if corrected:
        meaning = translate("colour_key", "corrected by hand")
        lines.append((translate("colour_key", "landmarks"), [(CORRECTED_COLOUR, meaning)]))
    return lines


def paint_legend(painter: QPainter, lines: Sequence[Line], width: float) -> None:
    """Paint the legend in the upper right corner of a view of this width."""
    if width < _LEAST_VIEW:
        return
    for row, line in enumerate(lines):
        _paint_line(painter, line, width - _EDGE, row)


def _paint_line(painter: QPainter, line: Line, right: float, row: int) -> None:
    title, colours = line
    metrics = painter.fontMetrics()
    widths = [metrics.horizontalAdvance(words) for _, words in colours]
    whole = metrics.horizontalAdvance(title) + sum(widths) + len(colours) * (_SIDE + 3 * _GAP)
    height = metrics.height() + _GAP
    place = QRectF(right - whole - 2 * _GAP, _EDGE + row * (height + 4), whole + 2 * _GAP, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(LABEL_BACKGROUND)
    painter.drawRoundedRect(place, 4, 4)
    base = place.top() + _GAP / 2 + metrics.ascent()
    x = place.left() + _GAP
    painter.setPen(QColor("white"))
    painter.drawText(QPointF(x, base), title)
    x += metrics.horizontalAdvance(title)
    for (colour, words), advance in zip(colours, widths, strict=True):
        x += 2 * _GAP
        painter.fillRect(QRectF(x, place.center().y() - _SIDE / 2, _SIDE, _SIDE), QColor(colour))
        x += _SIDE + _GAP
        painter.setPen(QColor("white"))
        painter.drawText(QPointF(x, base), words)
        x += advance


def _ranges(steps: Sequence[tuple[float, str]]) -> list[tuple[str, str]]:
    """Return each colour with its range of values."""
    named = [(colour, f"< {significant_text(most, 6)}") for most, colour in steps[:-1]]
    return [*named, (steps[-1][1], f"≥ {significant_text(steps[-2][0], 6)}")]
