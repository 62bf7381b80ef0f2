"""Drawing of results into images, for annotated videos and snapshots."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.attributes.attribute_registry import drawn_attributes
from steadymark.engine.attributes.face_attribute import DrawnText
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.video.draw_style import (
    BLACK,
    ORANGE,
    RAW_COLOUR,
    SCORE_BANDS,
    STEADY_COLOUR,
    WHITE,
    bgr,
    face_colour,
    score_bands,
    uncertain,
)
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.attributes.face_attribute import Shapes
    from steadymark.engine.core.types import FaceBox, Landmarks, TrackedFace, TrackResult
    from steadymark.engine.output.video.draw_style import Bgr
    from steadymark.models.face.crop import Image, Points

_SHIFT = 4  # coordinates are passed to cv2 as integers in 1/16 pixel
_LEAST_CIRCLE_PX = 2.0  # radius of the smallest circle that is visibly hollow
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """What to draw.

    Attributes:
        points: Landmarks as dots, coloured by score, and hollow if the score is low.
        contours: Lines between landmarks.
        box: Extent of the landmarks.
        face_id: Number of the face.
        status: A line with time, frame index and number of faces.
        raw: Draw the network's landmarks instead of the stabilized ones.
        attributes: Names of the drawings of attributes, such as `axes`: axes of the head, x
            (right) in vermillion, y (down) in green, z (out of the face) in blue.
        beside: Draw raw and stabilized landmarks side by side, with these two captions.
        schema: Name of the landmark schema; contours are drawn only if it is known.
    """

    points: bool = True
    contours: bool = True
    box: bool = False
    face_id: bool = True
    status: bool = True
    raw: bool = False
    attributes: tuple[str, ...] = ()
    beside: tuple[str, str] | None = None
    schema: str = field(kw_only=True)

    @property
    def draws(self) -> bool:
        """Whether anything is drawn; otherwise images stay unchanged."""
        parts = (self.points, self.contours, self.box, self.face_id, self.status, self.attributes)
        return any(parts) or self.beside is not None

    @property
    def as_text(self) -> str:
        """The options as text, which is equal for equal drawings."""
        words: list[str] = []
        for name, value in asdict(self).items():
            if name == "attributes":
                words += value
            elif value:
                words.append(name if value is True else f"{name}={value}")
        return " ".join(words)


def draw(result: TrackResult, options: DrawOptions) -> Image:
    """Draw faces over a copy of the frame's image.

    Args:
        result: The result of the frame, with its image.
        options: What to draw.

    Returns:
        (H, W, 3) uint8 in BGR order; the width is doubled if both are drawn side by side.

    Raises:
        ValueError: The result does not hold its image.
    """
    if options.beside is not None:
        return _draw_side_by_side(result, options, options.beside)
    image = result.frame_with_image.image.copy()
    for face in result.faces:
        _draw_face(image, face, options)
    if options.status:
        _draw_status(image, result)
    return image


def _draw_side_by_side(
    result: TrackResult, options: DrawOptions, captions: tuple[str, str]
) -> Image:
    halves = []
    for raw, caption in zip((True, False), captions, strict=True):
        half_options = replace(options, raw=raw, beside=None, status=options.status and raw)
        half = draw(result, half_options)
        scale = float(np.clip(result.frame_with_image.height / 720, 0.35, 2))
        at = (round(10 * scale) + 2, result.frame_with_image.height - round(14 * scale) - 2)
        draw_text(half, caption, at, scale, bgr(RAW_COLOUR if raw else STEADY_COLOUR))
        halves.append(half)
    return np.concatenate(halves, axis=1)


def _draw_face(image: Image, face: TrackedFace, options: DrawOptions) -> None:
    landmarks = face.raw if options.raw else face.stabilized
    if landmarks is None:
        return
    colour = bgr(face_colour(face.face_id))
    finite = landmarks.xy_px[np.isfinite(landmarks.xy_px).all(1)]
    if not len(finite):
        return
    size_px = float(np.ptp(finite, axis=0).max())
    if options.box and face.box is not None:
        _draw_box(image, face.box, colour, _thickness(size_px))
    if options.contours:
        draw_contours(image, landmarks.xy_px, colour, size_px, options.schema)
    if options.points:
        _draw_points(image, landmarks, size_px)
    for shapes in drawn_attributes(face, options.attributes):
        _draw_shapes(image, shapes, size_px)
    if options.face_id:
        corner = finite.min(0) - (0, size_px * 0.05)
        draw_text(image, f"{face.face_id}", _pixels(corner), _text_scale(size_px), colour)


def draw_contours(
    image: Image, xy_px: Points, colour: Bgr, size_px: float, schema_name: str
) -> None:
    """Draw the schema's polylines.

    Args:
        image: (H, W, 3) uint8 BGR, which is drawn into.
        xy_px: (K, 2) landmarks in pixels.
        colour: Colour in BGR order.
        size_px: Size of the face in pixels, which determines the line width.
        schema_name: Name of the landmark schema; nothing is drawn if it is empty or has another
            number of landmarks.
    """
    if not schema_name or len(xy_px) != load_schema(schema_name).count:
        return
    for indices, closed in load_schema(schema_name).contours:
        line = xy_px[list(indices)]
        if np.isfinite(line).all():
            thickness = _thickness(size_px)
            cv2.polylines(image, [_fixed(line)], closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def _draw_points(image: Image, landmarks: Landmarks, size_px: float) -> None:
    """Draw dots coloured by score, and circles where it is low; a larger face has larger dots."""
    size = float(np.clip(size_px / 110, 0.9, 8))
    bands, hollow = score_bands(landmarks.score), uncertain(landmarks.score)
    for xy, band, is_hollow in zip(landmarks.xy_px, bands, hollow, strict=True):
        if np.isfinite(xy).all():
            x, y = (int(v) for v in _fixed(xy))
            colour = bgr(SCORE_BANDS[band][1])
            radius = max(size, _LEAST_CIRCLE_PX) if is_hollow else size
            line = max(1, round(size / 3)) if is_hollow else cv2.FILLED
            cv2.circle(image, (x, y), round(radius * 2**_SHIFT), colour, line, cv2.LINE_AA, _SHIFT)


def _draw_box(image: Image, box: FaceBox, colour: Bgr, thickness: int) -> None:
    right, bottom = box.left + box.width, box.top + box.height
    corners = _fixed(np.array([[box.left, box.top], [right, bottom]]))
    first, last = ((int(x), int(y)) for x, y in corners)
    cv2.rectangle(image, first, last, colour, thickness, cv2.LINE_AA, _SHIFT)


def _draw_shapes(image: Image, shapes: Shapes, size_px: float) -> None:
    for shape in shapes:
        if isinstance(shape, DrawnText):
            at, scale = np.array(shape.at_px), _text_scale(size_px)
            draw_text(image, shape.text, _pixels(at), scale, bgr(shape.colour))
        else:
            line, width = _fixed(shape.xy_px), 2 * _thickness(size_px)
            cv2.polylines(image, [line], False, bgr(shape.colour), width, cv2.LINE_AA, _SHIFT)


def _draw_status(image: Image, result: TrackResult) -> None:
    tracked = sum(face.state is not FaceState.LOST for face in result.faces)
    lost = len(result.faces) - tracked
    text = f"{result.frame.pts_s:.3f} s  frame {result.frame.index}  faces {tracked}"
    text += f"  lost {lost}" if lost else ""
    scale = float(np.clip(result.frame_with_image.height / 720, 0.35, 2))
    colour = bgr(WHITE if tracked else ORANGE)
    draw_text(image, text, (round(10 * scale) + 2, round(28 * scale)), scale, colour)


def draw_text(image: Image, text: str, at: tuple[int, int], scale: float, colour: Bgr) -> None:
    """Draw text with a dark outline, so that it is readable on any background.

    The outline is the same text at shifted positions. OpenCV 5 spaces thicker text wider, so a
    thicker text would not fit as an outline.

    Args:
        image: (H, W, 3) uint8 BGR, which is drawn into.
        text: The text.
        at: Lower left corner of the text in pixels.
        scale: Font scale.
        colour: Colour in BGR order.
    """
    outline, (x, y) = max(1, round(scale)), at
    for place in (
        (x - outline, y - outline),
        (x + outline, y - outline),
        (x - outline, y + outline),
        (x + outline, y + outline),
    ):
        cv2.putText(image, text, place, _FONT, scale, bgr(BLACK), 1, cv2.LINE_AA)
    cv2.putText(image, text, at, _FONT, scale, colour, 1, cv2.LINE_AA)


def _text_scale(size_px: float) -> float:
    return float(np.clip(size_px / 300, 0.35, 1.5))


def _thickness(size_px: float) -> int:
    return max(1, round(size_px / 250))


def _fixed(xy_px: NDArray[np.floating]) -> NDArray[np.int32]:
    """Convert pixels to OpenCV's fixed-point numbers, clipped to where OpenCV does not overflow."""
    fixed: NDArray[np.int32] = np.rint(xy_px.clip(-16000, 16000) * 2**_SHIFT).astype(np.int32)
    return fixed


def _pixels(xy_px: NDArray[np.floating]) -> tuple[int, int]:
    x, y = xy_px.clip(-16000, 16000)
    return round(float(x)), round(float(y))
