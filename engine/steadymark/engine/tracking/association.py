"""Association of faces between frames: predicted positions, matching, and duplicate tracks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.engine.core.types import FaceBox, Landmarks
    from steadymark.models.face.crop import Crop, Points

Array = NDArray[np.float64]
_DUPLICATE_DISTANCE = (
    0.25  # mean landmark distance / face size below which two tracks follow one face
)
_SPEED_TIME_CONSTANT_S = 0.2  # time constant of a face's measured speed
_COASTING_TIME_CONSTANT_S = (
    0.6  # time constant with which the predicted velocity of a lost face decays
)
_LARGEST_DISTANCE = (
    0.6  # in face sizes: largest distance from the predicted position, without a gap in time
)
_DISTANCE_GROWTH_AT_REST = (
    0.4  # in face sizes per second: growth of that distance with time, for a face at rest
)
_DISTANCE_GROWTH_BY_SPEED = (
    0.5  # growth of that distance as a share of the speed, for a moving face
)
_LARGEST_GROWTH = 0.4  # log ratio of sizes that counts as much as the largest distance
_LARGEST_SHAPE_DIFFERENCE = 0.2  # difference of landmark shapes, in face sizes, that counts as much
_LARGEST_DIFFERENCE_ALONE = 5.0  # accepted difference if there is one known and one new face
_NEAR_DISTANCE = 1.0  # distance of two faces, in face sizes, below which one may hide the other
_SURE_BOX = 0.65  # score of a box from which it is surely a face, like `DetectorConfig.sure`
_FADED_SHARE = 0.95  # share of the earlier landmark score below which such a face is hidden
_HIDDEN_S = 2.0  # longest time for which the motion of a hidden face is kept


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """Position and motion of a face when no other face hid it, in frame pixels and seconds.

    Attributes:
        t_s: Time of the position.
        centre: (2,) centre of the face.
        size: Size of the face.
        speed: (2,) velocity in pixels per second.
        xy_px: (K, 2) raw landmarks.
        roll_deg: Roll of the face in degrees.
        confidence: Mean score of the landmarks, in [0, 1].
    """

    t_s: float
    centre: Array
    size: float
    speed: Array
    xy_px: Points
    roll_deg: float
    confidence: float

    @property
    def shape(self) -> Array:
        """(K, 2) raw landmarks, upright, centred, and scaled to a face of size 1."""
        angle = math.radians(-self.roll_deg)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        upright: Array = (self.xy_px - self.centre) @ turn.T / self.size
        return upright

    def predict(self, t_s: float) -> Array:
        """Predict the centre at a later time; the velocity decays exponentially.

        Args:
            t_s: The time in seconds.

        Returns:
            (2,) centre in frame pixels.
        """
        gap_s = max(0.0, t_s - self.t_s)
        return self.centre + self.speed * _COASTING_TIME_CONSTANT_S * -math.expm1(
            -gap_s / _COASTING_TIME_CONSTANT_S
        )


def motion_of(fitted: Crop, points: Landmarks, t_s: float, *, margin: float) -> FaceMotion:
    """Compute the motion of a face that is seen for the first time; its velocity is zero.

    Args:
        fitted: The crop that fits the landmarks.
        points: The raw landmarks.
        t_s: Time of the frame in seconds.
        margin: Side of the crop divided by the size of the face.

    Returns:
        The motion.
    """
    centre, size = np.array([fitted.x, fitted.y]), fitted.side / margin
    confidence = float(points.score.mean())
    return FaceMotion(t_s, centre, size, np.zeros(2), points.xy_px, fitted.roll_deg, confidence)


def update_motion(before: FaceMotion, now: FaceMotion, *, near: bool) -> FaceMotion:
    """Update the motion of a face with a new frame.

    If another face is near and the landmarks have become less certain, the face is assumed to be
    hidden. Its motion then stays unchanged for at most 2 s.

    Args:
        before: The motion so far.
        now: The motion from the new frame alone.
        near: Whether another face is so near that it may hide this one or be confused with it.

    Returns:
        The updated motion.
    """
    gap_s = now.t_s - before.t_s
    if near and _is_faded(before, now) and 0 <= gap_s <= _HIDDEN_S:
        return before
    confidence = max(before.confidence, now.confidence) if near else now.confidence
    if gap_s <= 0:
        return replace(now, speed=before.speed, confidence=confidence)
    share = gap_s / (gap_s + _SPEED_TIME_CONSTANT_S)
    velocity = (now.centre - before.centre) / gap_s
    return replace(
        now, speed=before.speed + share * (velocity - before.speed), confidence=confidence
    )


def difference(known: FaceMotion, now: FaceMotion, *, near: bool) -> float:
    """Measure how much a face in this frame differs from a known face.

    A partly hidden face has less certain landmarks, which gather on its visible part. Their size
    and shape are then ignored.

    Args:
        known: The known face.
        now: The face in this frame.
        near: Whether another face is so near that it may hide a part of this one.

    Returns:
        0 for an equal face; above 1, it is another face.
    """
    distance = _relative_distance(known, now.centre, now.size, now.t_s)
    if near and _is_faded(known, now):
        return distance
    growth = math.log(now.size / known.size) / _LARGEST_GROWTH
    shape_difference = (
        float(np.linalg.norm(known.shape - now.shape, axis=1).mean()) / _LARGEST_SHAPE_DIFFERENCE
    )
    return math.hypot(distance, growth, shape_difference)


def matches(
    known: Sequence[FaceMotion], now: Sequence[FaceMotion], near: Sequence[bool], *, alone: bool
) -> dict[int, int]:
    """Assign the faces of this frame to known faces so that the sum of differences is least.

    Args:
        known: The known faces.
        now: The faces in this frame.
        near: See `difference`, for each face in `now`.
        alone: Whether there is only one known face and one new one. A larger difference is then
            accepted.

    Returns:
        Index in `known` by index in `now`, for the faces that match.
    """
    if not known or not now:
        return {}
    costs = np.array(
        [[difference(k, n, near=c) for k in known] for n, c in zip(now, near, strict=True)]
    )
    most = _LARGEST_DIFFERENCE_ALONE if alone else 1.0
    if costs.size == 1:
        return {0: 0} if costs[0, 0] <= most else {}
    from scipy.optimize import linear_sum_assignment  # its import takes 0.4 s

    never = most * (len(known) + len(now))  # higher than the cost of any set of valid matches
    pairs = zip(*linear_sum_assignment(np.where(costs <= most, costs, never)), strict=True)
    return {int(n): int(k) for n, k in pairs if costs[n, k] <= most}


def duplicate_tracks(faces: Mapping[int, FaceMotion]) -> list[tuple[int, int]]:
    """Return pairs of tracks whose landmarks coincide, because both follow the same face.

    Args:
        faces: The faces in this frame, by key.

    Returns:
        Pairs of keys.
    """
    if len(faces) < 2:
        return []
    # the mean distance of landmarks is at least the distance of their means
    middles = _distances([face.xy_px.mean(0) for face in faces.values()])
    sizes = np.array([face.size for face in faces.values()])
    may_coincide = middles < 1.01 * _DUPLICATE_DISTANCE * np.maximum.outer(sizes, sizes)
    return [
        (i, j)
        for (a, i), (b, j) in combinations(enumerate(faces), 2)
        if may_coincide[a, b] and _landmark_distance(faces[i], faces[j]) < _DUPLICATE_DISTANCE
    ]


def count_sure(boxes: Sequence[FaceBox]) -> int:
    """Return how many detected boxes are surely faces."""
    return sum(box.score >= _SURE_BOX for box in boxes)


def crowded(faces: Sequence[FaceMotion]) -> list[bool]:
    """Return for each face whether another face is so near that one may hide the other.

    Args:
        faces: All faces of a frame.

    Returns:
        One flag per face.
    """
    if len(faces) < 2:
        return [False] * len(faces)
    sizes = np.array([face.size for face in faces])
    mean_sizes = np.add.outer(sizes, sizes) / 2
    near = _distances([face.centre for face in faces]) < _NEAR_DISTANCE * mean_sizes
    np.fill_diagonal(near, False)
    flags: list[bool] = near.any(1).tolist()
    return flags


def is_near(expected: Sequence[FaceMotion], box: FaceBox, t_s: float) -> bool:
    """Return whether a box may contain one of the expected faces.

    Args:
        expected: Faces that may appear.
        box: The box in frame pixels.
        t_s: Time of the frame in seconds.

    Returns:
        True if the box is within the largest plausible distance of an expected face.
    """
    centre = np.array([box.left + box.width / 2, box.top + box.height / 2])
    return any(_relative_distance(known, centre, known.size, t_s) <= 1 for known in expected)


def _is_faded(known: FaceMotion, now: FaceMotion) -> bool:
    """Return whether the landmarks are less certain than before, as those of a hidden face are."""
    return now.confidence < _FADED_SHARE * known.confidence


def _relative_distance(known: FaceMotion, centre: Array, size: float, t_s: float) -> float:
    """Distance of a position from the predicted one, divided by the largest plausible distance."""
    gap_s = max(0.0, t_s - known.t_s)
    growth = _DISTANCE_GROWTH_AT_REST * (known.size + size) / 2 + _DISTANCE_GROWTH_BY_SPEED * float(
        np.linalg.norm(known.speed)
    )
    largest = _LARGEST_DISTANCE * (known.size + size) / 2 + growth * gap_s
    return float(np.linalg.norm(known.predict(t_s) - centre)) / largest


def _distances(points: Sequence[NDArray[np.floating]]) -> Array:
    """Return the (n, n) distances between n points (2,)."""
    xy = np.stack(points).astype(np.float64)
    between: Array = np.linalg.norm(xy[:, None] - xy, axis=-1)
    return between


def _landmark_distance(first: FaceMotion, second: FaceMotion) -> float:
    """Mean distance of the landmarks of two faces, divided by the size of the larger face."""
    distance = np.linalg.norm(first.xy_px - second.xy_px, axis=1).mean()
    return float(distance) / max(first.size, second.size)
