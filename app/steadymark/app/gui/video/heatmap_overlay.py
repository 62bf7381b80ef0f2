"""The network's two 1D heatmaps, drawn along the edges of the crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from steadymark.engine.output.video.draw_style import SKY_BLUE, YELLOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.app.gui.video.viewport import Viewport
    from steadymark.engine.core.types import TrackedFace
    from steadymark.models.face.crop import Crop

_DEPTH = 0.16  # height of the highest peak, as a share of the crop's side
_BACKGROUND = QColor(0, 0, 0, 150)


def paint_heatmaps(
    painter: QPainter,
    faces: Sequence[TrackedFace],
    heatmaps: Mapping[int, NDArray[np.float32]],
    viewport: Viewport,
    chosen: int,
) -> None:
    """Paint the x heatmaps above each crop and the y heatmaps to its left.

    Two curves are drawn: the maximum over all landmarks and the chosen landmark.

    Args:
        painter: Works in view points.
        faces: The faces of the frame.
        heatmaps: The heatmaps by the face's id, (K, 2, L).
        viewport: Maps frame pixels to view points.
        chosen: The number of a landmark; it is limited to K - 1.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for face in faces:
        if face.crop is None or face.face_id not in heatmaps:
            continue
        heat = heatmaps[face.face_id]
        for axis in range(2):
            lines = heat[:, axis]
            scale = _DEPTH * lines.shape[1] / max(float(lines.max()), 1e-9)
            _paint_strip(painter, face.crop, lines.shape[1], axis, viewport)
            _paint_line(painter, face.crop, lines.max(0) * scale, axis, viewport, SKY_BLUE)
            _paint_line(
                painter,
                face.crop,
                lines[min(chosen, len(lines) - 1)] * scale,
                axis,
                viewport,
                YELLOW,
            )


def _paint_strip(painter: QPainter, crop: Crop, bins: int, axis: int, viewport: Viewport) -> None:
    along = np.array([-0.5, bins - 0.5, bins - 0.5, -0.5])
    out = np.array([0.0, 0.0, 1.0, 1.0]) * _DEPTH * bins
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BACKGROUND)
    painter.drawPolygon(_placed(crop, bins, along, out, axis, viewport))


def _paint_line(
    painter: QPainter,
    crop: Crop,
    heights: NDArray[np.float32],
    axis: int,
    viewport: Viewport,
    colour: str,
) -> None:
    """Paint a filled curve; heights has shape (L,) and is in bins."""
    bins = len(heights)
    along = np.concatenate(([-0.5], np.arange(bins), [bins - 0.5]))
    line = _placed(crop, bins, along, np.concatenate(([0], heights, [0])), axis, viewport)
    painter.setPen(QPen(QColor(colour), 1.2))
    filling = QColor(colour)
    filling.setAlpha(90)
    painter.setBrush(filling)
    painter.drawPolygon(line)


def _placed(
    crop: Crop,
    bins: int,
    along: NDArray[np.floating],
    out: NDArray[np.floating],
    axis: int,
    viewport: Viewport,
) -> QPolygonF:
    """Map bins along an edge of the crop, and outwards from it, to view points."""
    ends = (along, -0.5 - out) if axis == 0 else (-0.5 - out, along)
    points = crop.matrix_to_image(bins) @ np.stack((*ends, np.ones(len(along))))
    return QPolygonF([QPointF(x, y) for x, y in viewport.to_view(points.T).tolist()])
