"""Between crop, frame and view pixels, and from boxes and landmarks to the crop to look at next."""

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

PAPER_SIDE = 2.5  # of the outer-eye distance (heatmap1d, section 5.1)


class Recentre(StrEnum):
    """How the crop of the next frame follows from the landmarks of this one.

    FIT: least-squares similarity of the mean shape to all landmarks (default: the steadiest).
    EYES: the paper's rule, centre = mean of all landmarks, side from the outer eye corners; it
    collapses on profile faces.
    """

    FIT = "fit"
    EYES = "eyes"


def crop_of_box(box: FaceBox, *, margin: float) -> Crop:
    """The crop of a detector's box: its centre, margin × its longer side, its roll."""
    return Crop(
        box.left + box.width / 2,
        box.top + box.height / 2,
        max(1.0, margin * max(box.width, box.height)),
        box.roll_deg,
    )


def crop_of_landmarks(
    xy_px: Points, schema: LandmarkSchema, *, margin: float, rule: Recentre = Recentre.FIT
) -> Crop:
    """The crop of a face whose landmarks are known; xy_px: (K, 2) frame pixels.

    With EYES the side is 2.5 outer-eye distances times the margin that makes an upright average
    face as large as FIT makes it, since the network was trained with that size.
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
    """The extent of landmarks (K, 2)."""
    left, top = (float(v) for v in xy_px.min(0))
    right, bottom = (float(v) for v in xy_px.max(0))
    return FaceBox(left, top, right - left, bottom - top, score, roll_deg)


def to_frame(points: Points, crop: Crop, size: int) -> Points:
    """Crop pixels (K, 2) of a `size`×`size` crop → frame pixels."""
    return transform(crop.to_picture(size), points)
