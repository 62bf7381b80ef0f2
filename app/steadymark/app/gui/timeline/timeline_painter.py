"""The painting of the parts of the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPalette, QPen, QPixmap, QPolygonF

from steadymark.app.gui.theme import SMALL, scaled_font
from steadymark.app.gui.timeline.face_row_codes import FacePresence, row_codes
from steadymark.app.gui.timeline.timeline_layout import MARGIN
from steadymark.app.gui.timeline.visible_frames import VisibleFrames, time_ticks
from steadymark.engine.output.video.draw_style import (
    GREEN,
    PURPLE,
    RAW_COLOUR,
    STEADY_COLOUR,
    VERMILLION,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.state import Display

_ONE_ROW = 10.0
_TICK_PX = 64.0  # minimum distance of two times
_LEAST_MAV = 1e-6
_DAMAGED, _LOOP = "#000000", PURPLE
_CUT_PX = 4.0
_SWATCH_PX = 8.0


def new_layer(widget: QWidget) -> QPixmap:
    """Return a transparent picture of the size of a widget."""
    ratio = widget.devicePixelRatioF()
    layer = QPixmap(widget.size() * ratio)
    layer.setDevicePixelRatio(ratio)
    layer.fill(Qt.GlobalColor.transparent)
    return layer


def paint_ground(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    *,
    palette: QPalette,
    times_s: NDArray[np.float64] | None,
    presence: FacePresence | None,
    measures: FaceMeasures | None,
    colours: Sequence[str],
) -> None:
    """Paint everything except the loop and the playback position; each row has a colour."""
    painter.fillRect(layout.strip, palette.color(QPalette.ColorRole.Base))
    painter.fillRect(layout.row(0), palette.color(QPalette.ColorRole.Mid))
    if times_s is None or presence is None or not shown.count:
        return
    painter.setFont(scaled_font(painter.font(), SMALL))
    _paint_times(painter, layout, shown, times_s, palette)
    _paint_rows(painter, layout, shown, presence, palette)
    face = None if measures is None else measures.face
    _paint_labels(painter, layout, presence, palette, colours, chosen=face)
    painter.setClipRect(layout.track)
    if measures is not None and len(measures.jitter_raw) == shown.count:
        _paint_jitter(painter, layout, shown, measures)
    _paint_cuts(painter, layout, shown, presence, palette)


def paint_loop(
    painter: QPainter, layout: TimelineLayout, shown: VisibleFrames, display: Display
) -> None:
    """Paint the loop, or its part up to the playback position while its end is not chosen."""
    first, last = display.loop_start, display.frame
    if display.loop is not None:
        first, last = display.loop
    if first is None:
        return
    low, high = sorted((first, last))
    left, right = layout.x_of(low, shown), layout.x_of(high + 1, shown)
    track, shade = layout.track, QColor(_LOOP)
    shade.setAlpha(70)
    painter.fillRect(QRectF(left, track.top(), right - left, track.height()), shade)
    painter.setPen(QPen(QColor(_LOOP), 2))
    for x in (left, right):
        painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))


def paint_note(painter: QPainter, layout: TimelineLayout, words: str, palette: QPalette) -> None:
    """Write a sentence in the place of the jitter."""
    inside = layout.strip.adjusted(6, 0, -6, 0)
    elided = painter.fontMetrics().elidedText(
        words, Qt.TextElideMode.ElideRight, int(inside.width())
    )
    painter.setClipping(False)
    painter.setPen(palette.color(QPalette.ColorRole.Text))
    left = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
    painter.drawText(inside, left, elided)


def paint_place(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    frame: int,
    palette: QPalette,
) -> None:
    """Paint the playback position."""
    x, track = layout.x_of(frame + 0.5, shown), layout.track
    colour = palette.color(QPalette.ColorRole.WindowText)
    top = layout.times.bottom()
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.6))
    painter.drawLine(QPointF(x, top - 2), QPointF(x, track.bottom() + 2))
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon([QPointF(x - 5, top - 7), QPointF(x + 5, top - 7), QPointF(x, top)])


def _paint_times(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    times_s: NDArray[np.float64],
    palette: QPalette,
) -> None:
    times, metrics = layout.times, painter.fontMetrics()
    faint = palette.color(QPalette.ColorRole.PlaceholderText)
    grid = QColor(palette.color(QPalette.ColorRole.Mid))
    for place, text in time_ticks(times_s, shown, int(times.width() / _TICK_PX)):
        x, width = layout.x_of(place + 0.5, shown), metrics.horizontalAdvance(text)
        left = min(max(x - width / 2, times.left()), times.right() - width)
        painter.setPen(faint)
        box = QRectF(left, times.top(), width + 1, times.height() - 3)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft), text)
        painter.setPen(grid)
        painter.drawLine(QPointF(x, times.bottom() - 3), QPointF(x, layout.strip.bottom()))


def _paint_rows(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    presence: FacePresence,
    palette: QPalette,
) -> None:
    first = int(np.floor(shown.first))
    end = min(int(np.ceil(shown.first + shown.span)), shown.count)
    ratio = painter.device().devicePixelRatioF()
    columns = max(1, min(int(layout.track.width() * ratio), end - first))
    unknown = palette.color(QPalette.ColorRole.Mid)
    absent = palette.color(QPalette.ColorRole.Base)
    colours = [unknown, QColor(GREEN), absent, QColor(VERMILLION), QColor(_DAMAGED)]
    table = np.array([[c.blue(), c.green(), c.red(), 255] for c in colours], np.uint8)
    pixels = table[row_codes(presence, first, end, columns)]
    left, right = layout.x_of(first, shown), layout.x_of(end, shown)
    painter.save()
    painter.setClipRect(layout.track)
    for number in range(len(pixels)):
        line = np.ascontiguousarray(pixels[number : number + 1])
        image = QImage(line.data, columns, 1, line.strides[0], QImage.Format.Format_RGB32)
        place = layout.row(number)
        painter.drawImage(QRectF(left, place.top(), right - left, place.height()), image)
    painter.restore()


def _paint_labels(
    painter: QPainter,
    layout: TimelineLayout,
    presence: FacePresence,
    palette: QPalette,
    colours: Sequence[str],
    *,
    chosen: int | None,
) -> None:
    """Write what the faces are called beside their rows, with their colours in the video."""
    faint = palette.color(QPalette.ColorRole.PlaceholderText)
    text = palette.color(QPalette.ColorRole.WindowText)
    painter.setPen(faint)
    left, width, metrics = MARGIN, layout.gutter - 4, painter.fontMetrics()
    right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    strip = layout.strip
    painter.drawText(QRectF(left, strip.top(), width, strip.height()), right, "MAV")
    every = max(1, int(np.ceil(_ONE_ROW / layout.row_height)))
    for number in range(0, len(presence.ids), every):
        face, place = int(presence.ids[number]), layout.row(number)
        box = QRectF(left, place.center().y() - 8, width, 16)
        painter.setPen(text if face == chosen else faint)
        room = int(width - _SWATCH_PX)
        name = metrics.elidedText(layout.faces_called[number], Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, right, name)
        if len(presence.ids) > 1:
            swatch = QRectF(left, place.center().y() - 3, 4, 6)
            painter.fillRect(swatch, QColor(colours[number]))


def _paint_cuts(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    presence: FacePresence,
    palette: QPalette,
) -> None:
    """Mark the frames at which tracking began anew, such as cuts."""
    places = layout.track.left() + layout.track.width() * (
        (presence.restarts - shown.first) / shown.span
    )
    inside = (places >= layout.track.left()) & (places <= layout.track.right())
    painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 1, Qt.PenStyle.DotLine))
    top, bottom = layout.strip.top(), layout.faces.bottom()
    for x in np.unique(np.round(places[inside])):
        painter.drawLine(QPointF(float(x), top), QPointF(float(x), bottom))


def _paint_jitter(
    painter: QPainter, layout: TimelineLayout, shown: VisibleFrames, measures: FaceMeasures
) -> None:
    """Paint the MAV over one second, raw and stabilized, on a shared logarithmic scale."""
    curves = [
        np.log10(np.maximum(curve, _LEAST_MAV))
        for curve in (measures.jitter_raw, measures.jitter_stabilized)
    ]
    known = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    if not len(known):
        return
    low, high = (float(v) for v in np.percentile(known, (1, 99)))
    span = max(high - low, 0.5)
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    for curve, name in zip(curves, (RAW_COLOUR, STEADY_COLOUR), strict=True):
        painter.setPen(QPen(QColor(name), 1.2))
        for line in _lines(np.clip((curve - low) / span, 0.0, 1.0), layout, shown):
            painter.drawPolyline(line)


def _lines(
    curve: NDArray[np.float64], layout: TimelineLayout, shown: VisibleFrames
) -> list[QPolygonF]:
    """Return the shown part of a curve as polylines with about one point per column.

    The line is interrupted where the value is not known.
    """
    place = layout.strip
    step = max(1, int(shown.span / max(1.0, place.width())))
    first = max(0, int(shown.first) // step - 1) * step
    end = min(len(curve), int(shown.first + shown.span) + 2 * step)
    part = curve[first : first + max(0, end - first) // step * step]
    with np.errstate(invalid="ignore"):
        high = np.fmax.reduce(part.reshape(-1, step), axis=1)
    lines, line = [], QPolygonF()
    for i, value in enumerate(high):
        if np.isfinite(value):
            y = place.bottom() - 2 - float(value) * (place.height() - 4)
            line.append(QPointF(layout.x_of(first + (i + 0.5) * step, shown), y))
        elif line.size():
            lines.append(line)
            line = QPolygonF()
    return [*lines, line]
