"""Drawing of faces over an image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.engine.api.face import Face, tracked_face
from steadymark.engine.api.inputs import checked_image
from steadymark.engine.attributes.attribute_registry import checked_drawings
from steadymark.engine.attributes.head_pose_attribute import AXES
from steadymark.engine.core.types import Frame, TrackResult
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.output.video.drawing import draw as draw_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from steadymark.engine.api.inputs import Image


def draw(
    image: Image,
    faces: Iterable[Face],
    *,
    points: bool = True,
    contours: bool = True,
    box: bool = False,
    face_id: bool = False,
    axes: bool = False,
    drawings: Sequence[str] = (),
    raw: bool = False,
) -> Image:
    """Draw faces over a copy of an image.

    Args:
        image: (H, W, 3) uint8 in BGR order; it is not changed.
        faces: Faces of this image.
        points: Draw a dot for each landmark, coloured by its score.
        contours: Draw the lines between landmarks.
        box: Draw the extent of the landmarks.
        face_id: Write each face's number beside it.
        axes: Draw the head's axes: x (right) in vermillion, y (down) in green, z (out of the
            face) in blue.
        drawings: Names of further attributes to draw, see `steadymark track --draw`.
        raw: Draw the landmarks before stabilization instead of the stabilized ones.

    Returns:
        (H, W, 3) uint8 in BGR order.

    Raises:
        UsageError: The image has another shape or type, or a drawing is unknown.

    Example:
        >>> import steadymark as sm
        >>> picture = sm.draw(image, sm.FaceLandmarker().detect(image), axes=True)
        >>> picture.shape == image.shape
        True
    """
    drawn = checked_image(image)
    options = DrawOptions(
        points=points,
        contours=contours,
        box=box,
        face_id=face_id,
        status=False,
        raw=raw,
        attributes=checked_drawings((*drawings, AXES) if axes else drawings),
        schema="",
    )
    for face in faces:
        face_options = replace(options, schema=face.schema)
        drawn = draw_result(TrackResult(Frame(drawn, 0, 0.0), (tracked_face(face),)), face_options)
    return drawn if drawn is not image else drawn.copy()
