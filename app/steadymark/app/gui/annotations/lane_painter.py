"""Paints the lanes of the timeline with their annotations, and what is excluded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPalette, QPen, QPolygonF

from steadymark.app.gui.annotations.lane_names import lane_title
from steadymark.app.gui.theme import SMALL, scaled_font
from steadymark.app.gui.timeline.timeline_layout import MARGIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPainter

    from steadymark.app.gui.annotations.lane_places import LanePlaces, PlacedAnnotation
    from steadymark.app.gui.timeline.face_row_codes import FacePresence
    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
    from steadymark.app.gui.timeline.visible_frames import VisibleFrames

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEAST_BAR_PX = 2.0
_LEAST_LABEL_PX = 24.0
_TICK_PX = 4.0  # half the width of an event


@dataclass(frozen=True, slots=True)
class GrowingBar:
    """An interval that is not finished: its lane and its first and last frame."""

    row: int
    first: int
    last: int


def paint_lanes(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    places: LanePlaces,
    *,
    palette: QPalette,
    selected: int | None,
) -> None:
    """Paint the lanes, their names and their annotations.

    Args:
        painter: Paints on the timeline.
        layout: The places of its parts.
        shown: The part of the recording that is shown.
        places: The lanes and annotations.
        palette: The colours of the window.
        selected: The number of the selected annotation.
    """
    painter.save()
    painter.setFont(scaled_font(painter.font(), SMALL))
    area = layout.all_lanes
    painter.setClipRect(area.adjusted(-area.left(), 0, 0, 0))
    _paint_names(painter, layout, places, palette)
    painter.setClipRect(area.adjusted(-1, 0, 1, 1))
    for row in range(len(places.lanes)):
        painter.fillRect(layout.lane(row), palette.color(QPalette.ColorRole.Base))
    for one in sorted(places.placed, key=lambda one: one.annotation.number == selected):
        chosen = one.annotation.number == selected
        if one.annotation.is_event:
            _paint_event(painter, layout, shown, one, places, palette, chosen=chosen)
        else:
            _paint_bar(painter, layout, shown, one, places, palette, chosen=chosen)
    painter.restore()


def paint_growing(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    places: LanePlaces,
    growing: Sequence[GrowingBar],
) -> None:
    """Paint intervals that are not finished, with a dashed outline."""
    painter.save()
    painter.setClipRect(layout.all_lanes.adjusted(-1, 0, 1, 1))
    for one in growing:
        if not 0 <= one.row < len(places.lanes):
            continue
        colour = QColor(places.lanes[one.row].colour)
        box = _bar(layout, shown, one.row, one.first, one.last)
        light = QColor(colour)
        light.setAlpha(120)
        painter.fillRect(box, light)
        painter.setPen(QPen(colour, 1.4, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.restore()


def paint_excluded(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    places: LanePlaces,
    presence: FacePresence | None,
) -> None:
    """Shade the excluded intervals over the rows of the faces that they concern."""
    painter.save()
    painter.setClipRect(layout.track)
    ids = [] if presence is None else [int(face) for face in presence.ids]
    for one in places.excluded:
        person = one.annotation.person
        if person is None:
            strip, faces = layout.strip, layout.faces
            top, bottom = strip.top(), faces.bottom()
        elif person in ids:
            row = layout.row(ids.index(person))
            top, bottom = row.top(), row.bottom()
        else:
            continue
        left, right = layout.x_of(one.first, shown), layout.x_of(one.last + 1, shown)
        box = QRectF(left, top, max(right - left, _LEAST_BAR_PX), bottom - top)
        colour = QColor(places.lanes[one.row].colour)
        colour.setAlpha(60)
        painter.fillRect(box, colour)
        colour.setAlpha(200)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        brush = painter.brush()
        brush.setStyle(Qt.BrushStyle.BDiagPattern)
        painter.fillRect(box, brush)
    painter.restore()


def _paint_names(
    painter: QPainter, layout: TimelineLayout, places: LanePlaces, palette: QPalette
) -> None:
    width, metrics = layout.gutter - 4, painter.fontMetrics()
    for row, lane in enumerate(places.lanes):
        place = layout.lane(row)
        room = width - 8
        text = metrics.elidedText(lane_title(lane.name), Qt.TextElideMode.ElideRight, int(room))
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        painter.drawText(QRectF(MARGIN + 8, place.center().y() - 8, room, 16), _RIGHT, text)
        left = MARGIN + room - metrics.horizontalAdvance(text)
        painter.fillRect(QRectF(left, place.center().y() - 3, 4, 6), QColor(lane.colour))


def _bar(layout: TimelineLayout, shown: VisibleFrames, row: int, first: int, last: int) -> QRectF:
    place = layout.lane(row)
    left, right = layout.x_of(first, shown), layout.x_of(last + 1, shown)
    return QRectF(left, place.top(), max(right - left, _LEAST_BAR_PX), place.height())


def _paint_bar(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    one: PlacedAnnotation,
    places: LanePlaces,
    palette: QPalette,
    *,
    chosen: bool,
) -> None:
    box = _bar(layout, shown, one.row, one.first, one.last)
    if box.right() < layout.track.left() or box.left() > layout.track.right():
        return
    colour = QColor(places.lanes[one.row].colour)
    painter.fillRect(box, colour)
    if box.width() > 3:  # neighbours stay distinguishable
        painter.fillRect(QRectF(box.right() - 1, box.top(), 1, box.height()), colour.darker(160))
    _paint_label(painter, layout, box, one, colour)
    if chosen:
        _paint_outline(painter, box, palette)


def _paint_label(
    painter: QPainter,
    layout: TimelineLayout,
    box: QRectF,
    one: PlacedAnnotation,
    colour: QColor,
) -> None:
    """Write the label into the visible part of a bar, if there is room for some letters."""
    inside = box.intersected(layout.track).adjusted(4, 0, -3, 0)
    text = one.annotation.label
    if not text or inside.width() < _LEAST_LABEL_PX:
        return
    shortened = painter.fontMetrics().elidedText(
        text, Qt.TextElideMode.ElideRight, int(inside.width())
    )
    painter.setPen(text_colour(colour))
    painter.drawText(inside, _LEFT, shortened)


def _paint_event(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    one: PlacedAnnotation,
    places: LanePlaces,
    palette: QPalette,
    *,
    chosen: bool,
) -> None:
    x, place = layout.x_of(one.first + 0.5, shown), layout.lane(one.row)
    if not layout.track.left() - _TICK_PX <= x <= layout.track.right() + _TICK_PX:
        return
    colour = QColor(places.lanes[one.row].colour)
    painter.fillRect(QRectF(x - 1, place.top(), 2, place.height()), colour)
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    middle, half = place.center().y(), min(_TICK_PX, place.height() / 2)
    corners = ((x - half, middle), (x, middle - half), (x + half, middle), (x, middle + half))
    painter.drawPolygon(QPolygonF([QPointF(a, b) for a, b in corners]))
    painter.setRenderHint(painter.RenderHint.Antialiasing, False)
    if chosen:
        box = QRectF(x - half - 1, place.top(), 2 * half + 2, place.height())
        _paint_outline(painter, box, palette)


def _paint_outline(painter: QPainter, box: QRectF, palette: QPalette) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 2))
    painter.drawRect(box.adjusted(1, 1, -1, -1) if box.width() > 4 else box.adjusted(-1, 1, 1, -1))


def text_colour(colour: QColor) -> QColor:
    """Return black or white, whichever is easier to read on this colour."""
    light = 0.299 * colour.redF() + 0.587 * colour.greenF() + 0.114 * colour.blueF()
    return QColor("#000000" if light > 0.55 else "#ffffff")
