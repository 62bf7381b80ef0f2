"""Landmarks with a low score are hollow in the view, as they are in annotated videos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from steadymark.app.gui.video.overlay import LandmarkStyle, paint_faces
from steadymark.app.gui.video.viewport import Viewport
from steadymark.app.session.state import OverlayOptions
from steadymark.engine.core.types import Landmarks
from steadymark.engine.output.video.draw_style import SKY_BLUE, YELLOW
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import tracked_face

BACKGROUND = QColor("#202020")


def painted(score: float, *, coloured: bool) -> QImage:
    """Paint a face with two landmarks, 300 pixels apart; the first one has this score."""
    xy = np.array([[50, 50], [350, 50]], np.float32)
    landmarks = Landmarks(xy, np.array([score, 0.7], np.float32))
    face = replace(tracked_face(), raw=landmarks, stabilized=landmarks, attributes=None)
    image = QImage(400, 100, QImage.Format.Format_RGB32)
    image.fill(BACKGROUND)
    painter = QPainter(image)
    overlay = OverlayOptions(contours=False, scores=coloured)
    style = LandmarkStyle(False, SKY_BLUE, {}, load_schema("ibug68"))
    paint_faces(painter, (face,), Viewport(1.0, 0.0, 0.0), overlay, style)
    painter.end()
    return image


@pytest.mark.parametrize("coloured", [False, True])
def test_only_a_low_score_is_hollow(qapp: object, *, coloured: bool) -> None:
    image = painted(0.5, coloured=coloured)
    assert image.pixelColor(50, 50) == BACKGROUND
    assert any(image.pixelColor(x, 50) != BACKGROUND for x in range(44, 57))
    assert image.pixelColor(350, 50) == QColor(YELLOW if coloured else SKY_BLUE)
    certain = painted(0.6, coloured=coloured)
    assert certain.pixelColor(50, 50) == certain.pixelColor(350, 50)


def test_an_unknown_score_is_hollow(qapp: object) -> None:
    assert painted(float("nan"), coloured=False).pixelColor(50, 50) == BACKGROUND
