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
    face_motion,
    is_on_the_head,
    landmark_motion,
    motion_contradicted,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Crop, Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema

_WINDOW_PX, _LEVELS = 13, 1
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.01)
_MOST_UNSURE = 8.0  # crop pixels


class FlowFrame(NamedTuple):
    """What optical flow needs to know of a face in one frame.

    Attributes:
        picture: (F, F) uint8, `flow_picture` of the crop.
        crop: Where the crop lies in the frame.
        raw: (K, 2) landmarks of the detector, frame pixels.
    """

    picture: Image
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
    size = len(now.picture)
    to_before, to_now = before.crop.from_picture(size), now.crop.from_picture(size)
    moved, agreed = _face(before, now, schema, to_before, to_now)
    begin = transform(to_before, starts)
    guess = transform(inverse(moved), begin)
    found = _flow(before.picture, now.picture, begin, guess)
    back = _flow(now.picture, before.picture, found, begin)
    miss = np.linalg.norm(back - begin, axis=-1).clip(0, _MOST_UNSURE)
    scale = now.crop.side / size
    out = now.crop.to_picture(size)
    beside = (found - guess) @ out[:, :2].T
    face = compose(out, compose(inverse(moved), to_before))
    return LandmarkFlow(face, beside.astype(np.float32), (miss * scale).astype(np.float32), agreed)


def _face(
    before: FlowFrame, now: FlowFrame, schema: LandmarkSchema, to_before: Matrix, to_now: Matrix
) -> tuple[Matrix, bool]:
    """Return the rigid motion from this crop's pixels to the previous one's, and whether it agrees.

    The second value tells whether the raw landmarks agree with optical flow; if they do not, the
    motion is that of the landmarks.
    """
    head, size = is_on_the_head(schema), len(now.picture)
    points = transform(to_before, before.raw[head]), transform(to_now, now.raw[head])
    told = landmark_motion(*points)
    crop_moved = now.crop.onto(before.crop, size)
    moved = face_motion(before.picture, now.picture, points[0], crop_moved, told)
    instead = motion_contradicted(moved, *points, size, told)
    return (moved, True) if instead is None else (instead, False)


def _flow(a: Image, b: Image, points: Points, guess: Points) -> Points:
    found, known, _ = cv2.calcOpticalFlowPyrLK(
        a,
        b,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.array(guess, np.float32).reshape(-1, 1, 2),  # OpenCV writes into it
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    there: NDArray[np.bool_] = known > 0
    flowed: Points = np.where(there, found[:, 0], points + 2 * _MOST_UNSURE)
    return flowed
