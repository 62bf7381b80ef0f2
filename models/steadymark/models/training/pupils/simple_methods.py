"""Simple ways to find a pupil without a network, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH, MARGIN, TOP
from steadymark.models.training.pupils.pupil_labels import view_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.training.pupils.eye_pictures import EyePicture

    Values = NDArray[np.floating]

_IRIS_PX = 0.2 * EYE_WIDTH / MARGIN  # usual radius of an iris in a crop


def _lids_in_crop(eye: EyePicture) -> Values:
    matrix = view_matrix()
    lids: Values = (eye.lids - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - (0, TOP)
    return lids


def _within_lids(eye: EyePicture) -> NDArray[np.bool_]:
    mask = np.zeros((EYE_HEIGHT, EYE_WIDTH), np.uint8)
    cv2.fillPoly(mask, [_lids_in_crop(eye).round().astype(np.int32)], 1)
    return mask > 0


def centre_of_lids(crop: Image, eye: EyePicture) -> Values:
    """Return the mean of the eye's landmarks."""
    centre: Values = _lids_in_crop(eye).mean(0)
    return centre


def _mean_of_discs(crop: Image) -> NDArray[np.float32]:
    """Return the mean grey level (H, W) of a disc of an iris's size around each pixel."""
    radius = round(_IRIS_PX)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2).astype(np.float32)
    return cv2.filter2D(crop.astype(np.float32), -1, kernel / kernel.sum()).astype(np.float32)


def darkness_of_iris(crop: Image) -> float:
    """Return how much darker the darkest disc is than the crop, as a share of the crop's mean."""
    discs = _mean_of_discs(crop)[TOP:-TOP, 2 * TOP : -2 * TOP]
    return float((crop.mean() - discs.min()) / (crop.mean() + 1))


def darkest_disc(crop: Image, eye: EyePicture) -> Values:
    """Return the centre of the darkest disc of an iris's size, centred between the lids."""
    darkness = _mean_of_discs(crop)
    darkness[~_within_lids(eye)] = np.inf
    row, column = np.unravel_index(int(darkness.argmin()), darkness.shape)
    return np.array((column, row), np.float32)


def dark_ellipse(crop: Image, eye: EyePicture) -> Values:
    """Return the centre of mass of the darkest 30 % of the pixels between the lids."""
    within = _within_lids(eye)
    if not within.any():
        return centre_of_lids(crop, eye)
    limit = np.percentile(crop[within], 30)
    rows, columns = np.nonzero(within & (crop <= limit))
    return np.array((columns.mean(), rows.mean()), np.float32)


SIMPLE_METHODS: dict[str, Callable[[Image, EyePicture], Values]] = {
    "centre of the lids": centre_of_lids,
    "darkest disc": darkest_disc,
    "darkest 30 % between the lids": dark_ellipse,
}
