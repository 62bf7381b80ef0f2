"""Estimate how a face moved from one crop to the next by registering the two images.

The landmarks of two frames also show this motion, but they contain the noise that the stabilizer
has to remove. Optical flow between the images is accurate to hundredths of a pixel, and it is
computed on normalised images, so a change of light does not disturb it. If flow and landmarks
contradict each other, the landmarks are used.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import inverse, transform

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema

REST = 0.0004  # share of a crop's side; so small a motion counts half, since flow has such noise
FEWEST = 8  # points that flow must find
_WINDOW_PX = 21
_LEVELS, _LEVELS_WITH_GUESS = 2, 1  # pyramid levels without and with an expected motion
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
_SHADING_SIGMA = 1 / 16  # share of a crop's side; sigma of the Gaussian that estimates the shading
_CONTRAST = 40.0  # grey levels per standard deviation of the image without shading
_MAX_GROWTH, _MAX_ROLL_DEG = 1.35, 25.0  # limits for a face between two frames
EYE_DISTANCE_PER_RADIUS = 1.62  # outer-eye distance of the mean shape divided by its RMS radius
_TOLERANCE, _TOLERANCE_PER_RESIDUAL = (
    0.004,
    0.6,
)  # share of a crop's side; share of the landmarks' residual


def flow_image(crop: Image) -> Image:
    """Normalise a crop for optical flow, so that lighting does not matter.

    Subtracting a Gaussian blur (sigma is a sixteenth of the crop) removes offsets and soft shadows.
    Dividing by the standard deviation removes gain and contrast.

    Args:
        crop: (F, F, 3) uint8 BGR.

    Returns:
        (F, F) uint8 around 128. One standard deviation is about 40 grey levels near 128; larger
        values are compressed.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    details = grey - cv2.GaussianBlur(grey, (0, 0), _SHADING_SIGMA * len(crop))
    deviation = float(np.sqrt(np.square(details).mean()))
    scaled = details * np.float32(1 / max(deviation, 0.1))
    compressed = scaled / (1 + np.abs(scaled) * np.float32(_CONTRAST / 127))
    normalised: Image = (compressed * np.float32(_CONTRAST) + np.float32(128.5)).astype(np.uint8)
    return normalised


@cache
def inner_landmarks(schema: LandmarkSchema) -> list[int]:
    """Return the indices of the landmarks inside the face outline.

    The outline itself is left out because the background beside it moves differently.

    Args:
        schema: The landmark schema.
    """
    contour = schema.regions.get("contour", ())
    return [index for index in range(schema.count) if index not in contour]


def face_motion(
    before: Image, now: Image, points: Points, crop_moved: Matrix, expected: Matrix | None = None
) -> Matrix:
    """Estimate the rigid motion of a face between two crops.

    Optical flow (Lucas and Kanade) follows the landmarks, and a robust fit finds the similarity
    that most of them share, because eyelids and lips also move by themselves. For a face at rest
    the result is close to `crop_moved`.

    Args:
        before: (F, F) uint8, `flow_image` of the previous crop.
        now: (F, F) uint8, `flow_image` of the current crop.
        points: (K, 2) landmarks, pixels of the previous crop.
        crop_moved: (2, 3) matrix from current to previous crop pixels for a resting background.
        expected: (2, 3) matrix at which the flow search starts; `crop_moved` by default.

    Returns:
        (2, 3) similarity from pixels of the current crop to pixels of the previous one. It is
        `crop_moved` if flow finds fewer than `FEWEST` points, or if the fit scales the face by
        more than 1.35 or rolls it by more than 25 degrees.
    """
    guess = transform(inverse(crop_moved if expected is None else expected), points)
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.ascontiguousarray(guess, np.float32).reshape(-1, 1, 2),
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS if expected is None else _LEVELS_WITH_GUESS,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    is_found = status[:, 0] > 0
    if is_found.sum() < FEWEST:
        return crop_moved
    source, target = found[is_found, 0], points[is_found].astype(np.float32)
    fitted, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    if fitted is None:
        return crop_moved
    fitted_motion = np.asarray(fitted, np.float64)
    if not _is_plausible(fitted_motion, crop_moved):
        return crop_moved
    offsets = transform(fitted_motion, source) - transform(crop_moved, source)
    squared_motion = float(np.square(offsets).sum(-1).mean())
    weight = squared_motion / (squared_motion + (REST * len(now)) ** 2)
    return crop_moved + weight * (fitted_motion - crop_moved)


def _is_plausible(motion: Matrix, crop_moved: Matrix) -> bool:
    """Return whether a face can move like this, relative to the crop, between two frames."""
    relative = complex(motion[0, 0], motion[1, 0]) / complex(crop_moved[0, 0], crop_moved[1, 0])
    growth, roll_deg = abs(relative), abs(np.degrees(np.angle(relative)))
    return bool(1 / _MAX_GROWTH < growth < _MAX_GROWTH and roll_deg < _MAX_ROLL_DEG)


def landmark_motion(before: Points, now: Points) -> Matrix:
    """Fit the least-squares similarity from the current landmarks to the previous ones.

    Args:
        before: (K, 2) landmarks, pixels of the previous crop.
        now: (K, 2) landmarks, pixels of the current crop.

    Returns:
        (2, 3) matrix from pixels of the current crop to pixels of the previous one.
    """
    source_points, target_points = (
        np.ascontiguousarray(xy, np.float64).view(np.complex128)[:, 0] for xy in (now, before)
    )
    source, target = (
        source_points.sum() / len(source_points),
        target_points.sum() / len(target_points),
    )
    source_points = source_points - source
    scaled_rotation = complex(
        np.vdot(source_points, target_points - target)
        / max(float(np.vdot(source_points, source_points).real), 1e-9)
    )
    shift = complex(target - scaled_rotation * source)
    return np.array(
        [
            [scaled_rotation.real, -scaled_rotation.imag, shift.real],
            [scaled_rotation.imag, scaled_rotation.real, shift.imag],
        ]
    )


def face_size(xy: Points) -> float:
    """Estimate the outer-eye distance that a face would have if it looked into the camera.

    It is computed from the spread of all landmarks, so it does not shrink on profiles as the
    measured eye distance does.

    Args:
        xy: (K, 2) landmarks.

    Returns:
        The distance in the unit of `xy`, at least 0.001.
    """
    return max(
        1e-3, EYE_DISTANCE_PER_RADIUS * float(np.sqrt(np.square(xy - xy.mean(0)).sum(-1).mean()))
    )


def contradicting_motion(
    flow_motion: Matrix, before: Points, now: Points, side: int, known_motion: Matrix | None = None
) -> Matrix | None:
    """Return the motion of the landmarks if it contradicts the motion from optical flow.

    The two motions agree if the landmarks that they predict are on average no further apart than
    0.4 % of the crop's side plus 0.6 of the landmarks' RMS residual. The residual contains noise
    and the motion of lips and eyelids.

    Args:
        flow_motion: (2, 3) result of `face_motion`.
        before: (K, 2) raw landmarks, pixels of the previous crop.
        now: (K, 2) raw landmarks, pixels of the current crop.
        side: Side of a crop, pixels.
        known_motion: Result of `landmark_motion(before, now)`, if it is already known.

    Returns:
        The (2, 3) result of `landmark_motion`, or None if the motions agree.
    """
    known_motion = landmark_motion(before, now) if known_motion is None else known_motion
    predicted = transform(known_motion, now)
    residual = float(np.sqrt(np.square(predicted - before).sum(-1).mean()))
    distance = float(np.linalg.norm(transform(flow_motion, now) - predicted, axis=-1).mean())
    return (
        known_motion if distance > _TOLERANCE * side + _TOLERANCE_PER_RESIDUAL * residual else None
    )
