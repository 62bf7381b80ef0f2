"""Estimate how each landmark moved between two frames, by optical flow between two crops.

Flow measures motion to hundredths of a pixel but does not know where a landmark is. A detector
knows where it is, but with noise. `networks.stabilizer.flow_cell` combines both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.face.crop import compose, inverse, transform
from steadymark.models.face.face_motion import (
    contradicting_motion,
    face_motion,
    inner_landmarks,
    landmark_motion,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Crop, Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema

_WINDOW_PX, _LEVELS = 13, 1
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.01)
_MAX_ERROR_PX = 8.0  # crop pixels


class FlowFrame(NamedTuple):
    """What optical flow needs to know of a face in one frame.

    Attributes:
        image: (F, F) uint8, `flow_image` of the crop.
        crop: Where the crop lies in the frame.
        raw: (K, 2) landmarks of the detector, frame pixels.
    """

    image: Image
    crop: Crop
    raw: Points


class LandmarkFlow(NamedTuple):
    """The motion of a face and its landmarks between two frames, in frame pixels.

    Attributes:
        face: (2, 3) similarity of the face's rigid motion, from the previous frame to this one.
        beside: (K, 2) motion of each landmark in addition to the rigid motion.
        unsure: (K,) forward-backward error: how far flow back to the previous frame ends from
            where it started.
        agreed: Whether the raw landmarks confirm the rigid motion from optical flow.
    """

    face: Matrix
    beside: Points
    unsure: NDArray[np.float32]
    agreed: bool


def landmark_flow(
    before: FlowFrame, now: FlowFrame, starts: Points, schema: LandmarkSchema
) -> LandmarkFlow:
    """Measure the motion of all landmarks between two frames.

    Args:
        before: The face in the previous frame.
        now: The face in this frame.
        starts: (K, 2) landmarks in the previous frame from which flow starts, frame pixels.
        schema: The landmark schema.

    Returns:
        The motion.
    """
    size = len(now.image)
    to_before, to_now = before.crop.matrix_from_image(size), now.crop.matrix_from_image(size)
    motion, agreed = _rigid_motion(before, now, schema, to_before, to_now)
    start_points = transform(to_before, starts)
    guesses = transform(inverse(motion), start_points)
    found = _flow(before.image, now.image, start_points, guesses)
    returned = _flow(now.image, before.image, found, start_points)
    error = np.linalg.norm(returned - start_points, axis=-1).clip(0, _MAX_ERROR_PX)
    scale = now.crop.side / size
    to_frame = now.crop.matrix_to_image(size)
    beside = (found - guesses) @ to_frame[:, :2].T
    face = compose(to_frame, compose(inverse(motion), to_before))
    return LandmarkFlow(face, beside.astype(np.float32), (error * scale).astype(np.float32), agreed)


def _rigid_motion(
    before: FlowFrame, now: FlowFrame, schema: LandmarkSchema, to_before: Matrix, to_now: Matrix
) -> tuple[Matrix, bool]:
    """Return the rigid motion from this crop's pixels to the previous one's, and whether it agrees.

    The second value tells whether the raw landmarks agree with optical flow; if they do not, the
    motion is that of the landmarks.
    """
    inner, size = inner_landmarks(schema), len(now.image)
    points = transform(to_before, before.raw[inner]), transform(to_now, now.raw[inner])
    from_landmarks = landmark_motion(*points)
    crop_moved = now.crop.matrix_to_crop(before.crop, size)
    motion = face_motion(before.image, now.image, points[0], crop_moved, from_landmarks)
    contradicting = contradicting_motion(motion, *points, size, from_landmarks)
    return (motion, True) if contradicting is None else (contradicting, False)


def _flow(first: Image, second: Image, points: Points, guess: Points) -> Points:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.array(guess, np.float32).reshape(-1, 1, 2),  # OpenCV writes into it
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    is_found: NDArray[np.bool_] = status > 0
    flow_points: Points = np.where(is_found, found[:, 0], points + 2 * _MAX_ERROR_PX)
    return flow_points
