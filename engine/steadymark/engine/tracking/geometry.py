"""Conversion between crop and frame pixels, and crops from boxes and landmarks."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import FaceBox
from steadymark.models.face.crop import Crop, fit_crop, transform

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points
    from steadymark.models.face.schema import LandmarkSchema

PAPER_SIDE = 2.5  # side of the crop / outer-eye distance (heatmap1d, section 5.1)


class Recentre(StrEnum):
    """How the crop of the next frame follows from the landmarks of this frame.

    FIT is a least-squares similarity transform from the mean shape to all landmarks. It is the
    default because it is the most stable rule. EYES is the rule of the paper: the centre is the
    mean of all landmarks, and the side follows from the distance of the outer eye corners. It fails
    on profile faces.
    """

    FIT = "fit"
    EYES = "eyes"


def crop_of_box(box: FaceBox, *, margin: float) -> Crop:
    """Return the crop of a detected box, with the box's centre and roll.

    Args:
        box: The box.
        margin: Side of the crop divided by the longer side of the box.

    Returns:
        The crop.
    """
    return Crop(
        box.left + box.width / 2,
        box.top + box.height / 2,
        max(1.0, margin * max(box.width, box.height)),
        box.roll_deg,
    )


def crop_of_landmarks(
    xy_px: Points, schema: LandmarkSchema, *, margin: float, rule: Recentre = Recentre.FIT
) -> Crop:
    """Return the crop of a face from its landmarks.

    With EYES, the side is scaled so that an upright average face is as large as with FIT, because
    the network was trained with that size.

    Args:
        xy_px: (K, 2) landmarks in frame pixels.
        schema: The landmark schema.
        margin: Side of the crop divided by the size of the face.
        rule: How the crop follows from the landmarks.

    Returns:
        The crop.
    """
    fitted = fit_crop(xy_px, schema.mean_shape, margin=margin)
    if rule is Recentre.FIT:
        return fitted
    right, left = schema.eyes
    eyes = float(np.linalg.norm(xy_px[left] - xy_px[right]))
    average = float(np.linalg.norm(schema.mean_shape[left] - schema.mean_shape[right]))
    centre = xy_px.mean(0)
    scale = margin / (PAPER_SIDE * average)
    return replace(
        fitted, x=float(centre[0]), y=float(centre[1]), side=max(1.0, PAPER_SIDE * eyes * scale)
    )


def box_of_landmarks(xy_px: Points, *, score: float, roll_deg: float = 0.0) -> FaceBox:
    """Return the extent of landmarks as a box.

    Args:
        xy_px: (K, 2) landmarks in frame pixels.
        score: Score of the box.
        roll_deg: Roll of the box in degrees.

    Returns:
        The box.
    """
    left, top = (float(v) for v in xy_px.min(0))
    right, bottom = (float(v) for v in xy_px.max(0))
    return FaceBox(left, top, right - left, bottom - top, score, roll_deg)


def to_frame(points: Points, crop: Crop, size: int) -> Points:
    """Convert landmarks from crop pixels to frame pixels.

    Args:
        points: (K, 2) landmarks in crop pixels.
        crop: The crop.
        size: Side of the crop's image in pixels.

    Returns:
        (K, 2) landmarks in frame pixels.
    """
    return transform(crop.matrix_to_image(size), points)
