"""A frame as an image, with the overlay drawn on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage, QPainter

from steadymark.app.gui.video.heatmap_overlay import paint_heatmaps
from steadymark.app.gui.video.overlay import (
    LandmarkStyle,
    paint_faces,
    paint_truth,
)
from steadymark.app.gui.video.viewport import Viewport
from steadymark.app.gui.video.visible_image import as_qimage
from steadymark.app.session.state import Display, ShownLandmarks
from steadymark.engine.output.video.draw_style import RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    from steadymark.app.gui.video.shown_frame import ShownFrame


def paint_snapshot(shown: ShownFrame, display: Display) -> QImage:
    """Paint the frame at its own size; raw and stabilized landmarks are drawn together."""
    image = as_qimage(shown.frame.image)
    painter = QPainter(image)
    if shown.truth is not None and display.overlay.truth:
        paint_truth(painter, shown.truth, Viewport(1.0, 0.0, 0.0))
    if display.overlay.heatmaps:
        port = Viewport(1.0, 0.0, 0.0)
        paint_heatmaps(painter, shown.faces or (), shown.heatmaps, port, display.landmark)
    both = display.shown_landmarks is ShownLandmarks.BOTH
    kinds = {
        ShownLandmarks.OFF: (),
        ShownLandmarks.RAW: (True,),
        ShownLandmarks.STABILIZED: (False,),
    }.get(display.shown_landmarks, (True, False))
    for raw in kinds:
        colour = (RAW_COLOUR if raw else STEADY_COLOUR) if both else None
        style = LandmarkStyle(raw, colour, shown.trails.get(raw, {}), shown.schema, shown.names)
        paint_faces(painter, shown.faces or (), Viewport(1.0, 0.0, 0.0), display.overlay, style)
    painter.end()
    return image
