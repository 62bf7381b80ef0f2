"""Landmarks and other overlays, painted as vectors so that they are sharp at any zoom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.session.people.face_names import FaceName
from steadymark.engine.attributes.attribute_registry import drawn_attributes
from steadymark.engine.attributes.face_attribute import DrawnLine, DrawnText
from steadymark.engine.output.video.draw_style import (
    ORANGE,
    SCORE_BANDS,
    SKY_BLUE,
    TRUTH_COLOUR,
    VERMILLION,
    YELLOW,
    face_colour,
    score_bands,
    uncertain,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.app.gui.video.viewport import Viewport
    from steadymark.app.session.recording.results import Trail
    from steadymark.app.session.state import OverlayOptions
    from steadymark.engine.attributes.face_attribute import Shapes
    from steadymark.engine.core.types import FaceBox, Landmarks, TrackedFace
    from steadymark.models.face.crop import Crop
    from steadymark.models.face.schema import LandmarkSchema

SPEED_BANDS = (
    (10.0, "#9fb8d9"),
    (40.0, SKY_BLUE),
    (120.0, YELLOW),
    (300.0, ORANGE),
    (np.inf, VERMILLION),
)
_LEAST_CIRCLE = 2.5  # radius of the smallest circle that is visibly hollow
_OUTLINE, LABEL_BACKGROUND = QColor(0, 0, 0, 130), QColor(16, 16, 20, 190)


@dataclass(frozen=True, slots=True)
class LandmarkStyle:
    """Which landmarks to paint and how.

    Attributes:
        raw: Whether the raw landmarks are painted, not the stabilized ones.
        colour: The colour; None gives each face its own.
        trails: The trails by the face's id.
        schema: The schema of the landmarks, whose lines are painted.
        names: What the faces are called, by the face's id; other faces have their numbers.
    """

    raw: bool
    colour: str | None
    trails: dict[int, Trail]
    schema: LandmarkSchema
    names: dict[int, FaceName] = field(default_factory=dict)

    def name_of(self, face: TrackedFace) -> FaceName:
        """Return what a face is called."""
        return self.names.get(face.face_id, FaceName(face.face_id, face.face_id))


def paint_faces(
    painter: QPainter,
    faces: Sequence[TrackedFace],
    viewport: Viewport,
    overlay: OverlayOptions,
    style: LandmarkStyle,
) -> None:
    """Paint all chosen overlays of these faces; the painter works in view points."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for face in faces:
        landmarks = face.raw if style.raw else face.stabilized
        if landmarks is None or not np.isfinite(landmarks.xy_px).all():
            continue
        _paint_extent(painter, face, viewport, overlay, style)
        _paint_landmarks(painter, face, landmarks, viewport, overlay, style)
        for shapes in drawn_attributes(face, overlay.drawings):
            _paint_shapes(painter, shapes, viewport)


def paint_truth(painter: QPainter, xy_px: NDArray[np.float64], viewport: Viewport) -> None:
    """Paint ground truth as crosses, which cannot be confused with the dots of landmarks.

    Args:
        painter: Works in view points.
        xy_px: (K, 2) in frame pixels; NaN where there is no such landmark.
        viewport: Maps frame pixels to view points.
    """
    there = xy_px[np.isfinite(xy_px).all(1)]
    if not len(there):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    points = viewport.to_view(there)
    arm = float(np.clip(np.ptp(points, axis=0).max() / 80, 2.0, 9.0))
    lines = []
    for x, y in points.tolist():
        lines += [QLineF(x - arm, y, x + arm, y), QLineF(x, y - arm, x, y + arm)]
    for pen in (QPen(_OUTLINE, 2.6), QPen(QColor(TRUTH_COLOUR), 1.1)):
        painter.setPen(pen)
        painter.drawLines(lines)


def _colour(face: TrackedFace, style: LandmarkStyle) -> QColor:
    return QColor(style.colour or face_colour(style.name_of(face).person))


def _paint_extent(
    painter: QPainter,
    face: TrackedFace,
    viewport: Viewport,
    overlay: OverlayOptions,
    style: LandmarkStyle,
) -> None:
    if overlay.crop and face.crop is not None:
        _paint_crop(painter, face.crop, viewport)
    if overlay.boxes and face.box is not None:
        _paint_box(painter, face.box, viewport, _colour(face, style))
    if overlay.trails and face.face_id in style.trails:
        _paint_trail(painter, style.trails[face.face_id], viewport)


def _paint_landmarks(
    painter: QPainter,
    face: TrackedFace,
    landmarks: Landmarks,
    viewport: Viewport,
    overlay: OverlayOptions,
    style: LandmarkStyle,
) -> None:
    colour = _colour(face, style)
    points = viewport.to_view(landmarks.xy_px)
    size = float(np.ptp(points, axis=0).max())
    if overlay.contours:
        _paint_contours(painter, points, colour, size, style.schema)
    if overlay.points:
        _paint_points(painter, points, colour, size, landmarks.score, coloured=overlay.scores)
    if overlay.numbers:
        _paint_numbers(painter, points, size)
    if overlay.ids:
        _paint_id(
            painter, f"{style.name_of(face).full}   {number_text(face.score, 2)}", points, colour
        )


def _paint_contours(
    painter: QPainter,
    points: NDArray[np.float64],
    colour: QColor,
    size: float,
    schema: LandmarkSchema,
) -> None:
    width = float(np.clip(size / 220, 0.8, 3.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = []
    if len(points) != schema.count:  # the networks of a live view were exchanged just now
        return
    for indices, closed in schema.contours:
        ring = [*indices, indices[0]] if closed else indices
        lines.append(QPolygonF([QPointF(*points[i]) for i in ring]))
    for pen in (QPen(_OUTLINE, width + 1.5), QPen(colour, width)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)


def _paint_points(
    painter: QPainter,
    points: NDArray[np.float64],
    colour: QColor,
    size: float,
    scores: NDArray[np.float32],
    *,
    coloured: bool,
) -> None:
    """Paint dots, and circles where the score is low; coloured by score, or in one colour."""
    width, hollow = float(np.clip(size / 60, 2.5, 9.0)), uncertain(scores)
    _dots(painter, points[~hollow], _OUTLINE, width + 2)
    _circles(painter, points[hollow], _OUTLINE, width, line=width / 3 + 2)
    bands = score_bands(scores)
    colours = [QColor(name) for _, name in SCORE_BANDS] if coloured else [colour]
    for band, each in enumerate(colours):
        chosen = bands == band if coloured else np.ones(len(points), np.bool_)
        _dots(painter, points[chosen & ~hollow], each, width)
        _circles(painter, points[chosen & hollow], each, width, line=max(1.0, width / 3))


def _circles(
    painter: QPainter, points: NDArray[np.float64], colour: QColor, width: float, *, line: float
) -> None:
    """Paint hollow circles, somewhat larger than dots of this width."""
    painter.setPen(QPen(colour, line))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = max(_LEAST_CIRCLE, width / 2)
    for x, y in points.tolist():
        painter.drawEllipse(QPointF(x, y), radius, radius)


def _dots(painter: QPainter, points: NDArray[np.float64], colour: QColor, width: float) -> None:
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawPoints(QPolygonF([QPointF(x, y) for x, y in points]))


def _paint_numbers(painter: QPainter, points: NDArray[np.float64], size: float) -> None:
    font = QFont(painter.font())
    font.setPointSizeF(float(np.clip(size / 45, 6.0, 11.0)))
    painter.setFont(font)
    for index, (x, y) in enumerate(points):
        draw_text(painter, QPointF(x + 3, y - 3), str(index), QColor("white"))


def _paint_id(painter: QPainter, text: str, points: NDArray[np.float64], colour: QColor) -> None:
    left, top = points.min(0)
    draw_label(painter, QPointF(left + 6, top - 12), text, colour)


def _paint_box(painter: QPainter, box: FaceBox, viewport: Viewport, colour: QColor) -> None:
    corners = np.array([[box.left, box.top], [box.left + box.width, box.top + box.height]])
    (left, top), (right, bottom) = viewport.to_view(corners)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_OUTLINE, 3), QPen(colour, 1.5)):
        painter.setPen(pen)
        painter.drawRect(QRectF(left, top, right - left, bottom - top).normalized())


def _paint_crop(painter: QPainter, crop: Crop, viewport: Viewport) -> None:
    """Paint the square that the network sees."""
    ends = crop.matrix_to_image(2) @ np.array(
        [[-0.5, 1.5, 1.5, -0.5], [-0.5, -0.5, 1.5, 1.5], [1.0] * 4]
    )
    square = QPolygonF([QPointF(x, y) for x, y in viewport.to_view(ends.T)])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(QColor("white"), 1.2, Qt.PenStyle.DashLine)
    for each in (QPen(_OUTLINE, 2.5), pen):
        painter.setPen(each)
        painter.drawPolygon(square)


def _paint_shapes(painter: QPainter, shapes: Shapes, viewport: Viewport) -> None:
    """Paint the shapes of one attribute; the lines are as wide as fits the longest of them."""
    lines = [(viewport.to_view(s.xy_px), s.colour) for s in shapes if isinstance(s, DrawnLine)]
    sizes = (np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line, _ in lines)
    width = float(np.clip(max(sizes, default=0.0) / 25, 1.5, 5.0))
    for line, name in lines:
        for pen in (QPen(_OUTLINE, width + 2), QPen(QColor(name), width)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in line]))
    for shape in shapes:
        if isinstance(shape, DrawnText):
            (at,) = viewport.to_view(np.array([shape.at_px]))
            draw_text(painter, QPointF(*at), shape.text, QColor(shape.colour))


def _paint_trail(painter: QPainter, trail: Trail, viewport: Viewport) -> None:
    """Paint the trail of every landmark over the last second, coloured by speed."""
    points = viewport.to_view(trail.xy_px)  # (T, K, 2)
    width = float(np.clip(np.ptp(points[-1], axis=0).max() / 160, 0.5, 1.6))
    least = -np.inf
    for most, name in SPEED_BANDS:
        chosen = (trail.speed >= least) & (trail.speed < most)
        before, after = points[:-1][chosen], points[1:][chosen]
        lines = [QLineF(*a, *b) for a, b in zip(before.tolist(), after.tolist(), strict=True)]
        painter.setPen(QPen(QColor(name), width))
        painter.drawLines(lines)
        least = most


def draw_text(painter: QPainter, at: QPointF, words: str, colour: QColor) -> None:
    """Draw text with a dark outline, so that it is legible on any background.

    Args:
        painter: The painter.
        at: The lower left corner of the text.
        words: The text.
        colour: The colour of the text.
    """
    painter.setPen(QColor(0, 0, 0, 190))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(at + QPointF(dx, dy), words)
    painter.setPen(colour)
    painter.drawText(at, words)


def draw_label(painter: QPainter, at: QPointF, words: str, colour: QColor) -> QRectF:
    """Draw text on a dark plate, and return the rectangle of the plate.

    Args:
        painter: The painter.
        at: The lower left corner of the text.
        words: The text.
        colour: The colour of the text.
    """
    metrics = painter.fontMetrics()
    width = metrics.horizontalAdvance(words)
    place = QRectF(at.x() - 6, at.y() - metrics.ascent() - 3, width + 12, metrics.height() + 6)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(LABEL_BACKGROUND)
    painter.drawRoundedRect(place, 4, 4)
    painter.setPen(colour)
    painter.drawText(at, words)
    return place
