"""Estimation of the head pose from landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.api.inputs import checked_number, checked_points, checked_values
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.engine.face3d.face_fit import POINTS
from steadymark.engine.face3d.head_pose import head_pose as fit_pose

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def head_pose(
    points: ArrayLike,
    image_size: tuple[int, int],
    *,
    scores: ArrayLike | None = None,
    focal_px: float | None = None,
) -> HeadPose | None:
    """Estimate the position and rotation of a head from 68 landmarks.

    Pose, expression and shape of a 3D face are fitted to the landmarks together. A tracker knows
    the shape from earlier frames, so that its poses are more exact. The axes are those of OpenFace:
    x points right, y points down, and z points away from the camera. Pitch is positive downwards,
    yaw is positive towards the left of the image, and roll is positive clockwise.

    Args:
        points: (68, 2) landmarks in iBUG's order, in pixels; missing landmarks are NaN.
        image_size: Width and height of the image in pixels, in this order.
        scores: (68,) weights of the landmarks, 0 to 1; None weights all landmarks equally.
        focal_px: The camera's focal length in pixels; None takes OpenFace's estimate.

    Returns:
        The pose with `position_mm`, `rotation_rad`, `pitch_deg`, `yaw_deg`, `roll_deg` and
        `axes_px()`. It is None if there are fewer than ten finite landmarks, or if no pose fits
        them.

    Raises:
        UsageError: There are not 68 points, or the size or focal length is not a positive
            number.

    Example:
        >>> import steadymark as sm
        >>> pose = sm.head_pose(face.landmarks, (640, 480), scores=face.scores)
        >>> pose == face.head_pose
        True
    """
    xy = checked_points(points, ndim=(2,))
    if len(xy) != POINTS:
        raise UsageError(
            "points is {shape}: head poses need the {count} landmarks of ibug68",
            shape=xy.shape,
            count=POINTS,
        )
    weights = np.ones(POINTS) if scores is None else checked_values(scores, name="scores")
    if len(weights) != POINTS:
        raise UsageError(
            "scores is {shape}: pass one a landmark, {count}", shape=weights.shape, count=POINTS
        )
    landmarks = Landmarks(xy.astype(np.float32), weights.astype(np.float32))
    return fit_pose(landmarks, camera_of(image_size, focal_px))


def camera_of(image_size: tuple[int, int], focal_px: float | None) -> Intrinsics:
    """Return the camera for images of this width and height.

    Args:
        image_size: Width and height in pixels.
        focal_px: Focal length in pixels; None takes OpenFace's estimate.

    Returns:
        The camera.

    Raises:
        UsageError: A side or the focal length is less than 1 pixel.
    """
    try:
        width, height = (int(side) for side in image_size)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "image_size must be (width, height) in pixels, not {given}", given=repr(image_size)
        ) from error
    if min(width, height) < 1:
        raise UsageError(
            "image_size must be (width, height) in pixels, not {given}", given=repr(image_size)
        )
    if focal_px is not None and checked_number(focal_px, name="focal_px") < 1:
        raise UsageError("focal_px must be 1 pixel or more, not {given:g}", given=focal_px)
    return Intrinsics(width, height, focal_px)
