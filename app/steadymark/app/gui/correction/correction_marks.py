"""Marks of corrections: rings in the video, and diamonds in the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from steadymark.engine.output.video.draw_style import CORRECTED_COLOUR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
    from steadymark.app.gui.timeline.visible_frames import VisibleFrames
    from steadymark.app.gui.video.shown_frame import ShownFrame
    from steadymark.app.gui.video.viewport import Viewport
    from steadymark.app.session.review.correcting import ChosenLandmark

_OUTLINE = QColor(0, 0, 0, 150)
_DIAMOND_PX = 4.0


def paint_corrected(painter: QPainter, shown: ShownFrame, viewport: Viewport) -> None:
    """Paint a ring around each corrected landmark: thick where a person placed it in this frame."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for face in shown.faces or ():
        known = shown.corrected.get(face.face_id)
        if known is None or face.stabilized is None:
            continue
        points = viewport.to_view(face.stabilized.xy_px)
        radius = float(np.clip(np.ptp(points, axis=0).max() / 70, 3.5, 7.0))
        for chosen, line in ((known.moved & ~known.placed, 0.8), (known.placed, 1.8)):
            for pen in (QPen(_OUTLINE, line + 1.6), QPen(QColor(CORRECTED_COLOUR), line)):
                painter.setPen(pen)
                for x, y in points[chosen].tolist():
                    painter.drawEllipse(QPointF(x, y), radius, radius)


def paint_chosen(
    painter: QPainter, shown: ShownFrame, viewport: Viewport, chosen: ChosenLandmark | None
) -> None:
    """Paint a cross around the landmark that the arrow keys move."""
    faces = (face for face in shown.faces or () if chosen and face.face_id == chosen.face_id)
    for face in faces:
        if face.stabilized is None or chosen is None:
            continue
        x, y = viewport.to_view(face.stabilized.xy_px[chosen.landmark])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pen in (QPen(_OUTLINE, 3.4), QPen(QColor("white"), 1.6)):
            painter.setPen(pen)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                near, far = QPointF(9 * dx, 9 * dy), QPointF(15 * dx, 15 * dy)
                painter.drawLine(QPointF(x, y) + near, QPointF(x, y) + far)


def paint_corrected_frames(
    painter: QPainter, layout: TimelineLayout, shown: VisibleFrames, frames: Iterable[int]
) -> None:
    """Paint a diamond above the rows of faces at each corrected frame."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 200), 1))
    painter.setBrush(QColor(CORRECTED_COLOUR))
    track, y = layout.track, layout.strip.bottom()
    for frame in frames:
        x = layout.x_of(frame + 0.5, shown)
        if track.left() <= x <= track.right():
            ways = ((0, -1), (1, 0), (0, 1), (-1, 0))
            painter.drawPolygon(
                [QPointF(x + dx * _DIAMOND_PX, y + dy * _DIAMOND_PX) for dx, dy in ways]
            )
