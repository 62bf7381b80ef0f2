"""Who is who: where faces go, which of them a found one is, and which two are one face."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.engine.core.types import FaceBox, Landmarks
    from steadymark.models.face.crop import Crop, Points

Array = NDArray[np.float64]
_SAME = 0.25  # mean distance of landmarks, in sizes, under which two faces are one
_SETTLE_S = 0.2  # time constant of a face's measured speed
_COAST_S = 0.6  # a lost face goes on for no more than this times its speed
_REACH = 0.6  # in sizes: how far from where it is expected a face may be at once
_STRAY = 0.4  # in sizes a second: how much farther with time, for a face at rest
_UNSURE = 0.5  # of its speed likewise, for one that moved
_GROWTH = 0.4  # log ratio of sizes that counts as much as the whole reach
_SHAPE = 0.2  # so does this misfit of landmark shapes, in sizes
_ALONE = 5.0  # where one face only is known, a found one may differ so much more and be it
_NEAR = 1.0  # distance of two faces, in sizes, under which one may hide the other
_FADED = 0.95  # of how sure its landmarks were, under which such a face is hidden
_HIDDEN_S = 2.0  # so long a face is believed to go on as it did before another came near


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """Where a face was when nothing hid it, and how it moved; frame pixels and seconds.

    size: of the face. speed: (2,) a second. xy_px: (K, 2), its raw landmarks; shape: the same,
    upright, centred, of size 1. sure: mean score of its landmarks, in [0, 1].
    """

    t_s: float
    centre: Array
    size: float
    speed: Array
    xy_px: Points
    shape: Array
    sure: float

    def at(self, t_s: float) -> Array:
        """(2,): where it is expected then."""
        gap_s = max(0.0, t_s - self.t_s)
        return self.centre + self.speed * _COAST_S * -math.expm1(-gap_s / _COAST_S)


def motion_of(fitted: Crop, points: Landmarks, t_s: float, *, margin: float) -> FaceMotion:
    """Of a face seen for the first time. fitted: the crop that its landmarks ask for."""
    xy_px, sure = points.xy_px, float(points.score.mean())
    size = fitted.side / margin
    centre = np.array([fitted.x, fitted.y])
    angle = math.radians(-fitted.roll_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shape = (xy_px - centre) @ turn.T / size
    return FaceMotion(t_s, centre, size, np.zeros(2), xy_px, shape, sure)


def carried_on(before: FaceMotion, now: FaceMotion, *, near: bool) -> FaceMotion:
    """What is known of a face's motion after one frame more.

    near: another face is so near that it may hide this one, or be what was seen. If landmarks then
    are less sure than they were, it does, and the face goes on as before, for a while.
    """
    gap_s = now.t_s - before.t_s
    if near and _is_faded(before, now) and 0 <= gap_s <= _HIDDEN_S:
        return before
    sure = max(before.sure, now.sure) if near else now.sure
    if gap_s <= 0:
        return replace(now, speed=before.speed, sure=sure)
    share = gap_s / (gap_s + _SETTLE_S)
    way = (now.centre - before.centre) / gap_s
    return replace(now, speed=before.speed + share * (way - before.speed), sure=sure)


def difference(known: FaceMotion, now: FaceMotion, *, near: bool) -> float:
    """How little a face seen now is like a known one: 0 is the same, over 1 is another.

    near: another face is so near that it may hide a part. Landmarks that are less sure then crowd
    on what is seen of the face, and tell neither its size nor its shape.
    """
    away = _away(known, now.centre, now.size, now.t_s)
    if near and _is_faded(known, now):
        return away
    growth = math.log(now.size / known.size) / _GROWTH
    misfit = float(np.linalg.norm(known.shape - now.shape, axis=1).mean()) / _SHAPE
    return math.hypot(away, growth, misfit)


def matches(
    known: Sequence[FaceMotion], now: Sequence[FaceMotion], near: Sequence[bool], *, alone: bool
) -> dict[int, int]:
    """Which known face each of the faces seen now is: index → index, by the least difference.

    near: of each seen now, see `difference`. alone: no other face is about, so that a face which
    comes back is hardly another.
    """
    if not known or not now:
        return {}
    costs = np.array(
        [[difference(k, n, near=c) for k in known] for n, c in zip(now, near, strict=True)]
    )
    most = _ALONE if alone else 1.0
    never = most * (len(known) + len(now))  # dearer than any set of true matches
    pairs = zip(*linear_sum_assignment(np.where(costs <= most, costs, never)), strict=True)
    return {int(n): int(k) for n, k in pairs if costs[n, k] <= most}


def duplicate_tracks(faces: Mapping[int, FaceMotion]) -> list[tuple[int, int]]:
    """Pairs of faces whose landmarks lie on each other: one face, followed twice."""
    return [(i, j) for i, j in combinations(faces, 2) if _apart(faces[i], faces[j]) < _SAME]


def crowded(faces: Sequence[FaceMotion]) -> list[bool]:
    """Of each face, whether another is so near that one may hide the other."""
    return [
        any(
            float(np.linalg.norm(face.centre - other.centre)) < _NEAR * (face.size + other.size) / 2
            for other in faces
            if other is not face
        )
        for face in faces
    ]


def is_near(expected: Sequence[FaceMotion], box: FaceBox, t_s: float) -> bool:
    """Whether one of the faces that are expected could be in that box by now."""
    centre = np.array([box.left + box.width / 2, box.top + box.height / 2])
    return any(_away(known, centre, known.size, t_s) <= 1 for known in expected)


def _is_faded(known: FaceMotion, now: FaceMotion) -> bool:
    """Whether landmarks are less sure than they were, as those of a face that is hidden are."""
    return now.sure < _FADED * known.sure


def _away(known: FaceMotion, centre: Array, size: float, t_s: float) -> float:
    """How far a place is from where a face is expected, in how far that can be."""
    gap_s = max(0.0, t_s - known.t_s)
    unsure = _STRAY * (known.size + size) / 2 + _UNSURE * float(np.linalg.norm(known.speed))
    reach = _REACH * (known.size + size) / 2 + unsure * gap_s
    return float(np.linalg.norm(known.at(t_s) - centre)) / reach


def _apart(first: FaceMotion, second: FaceMotion) -> float:
    """Mean distance of their landmarks, in sizes of the larger."""
    way = np.linalg.norm(first.xy_px - second.xy_px, axis=1).mean()
    return float(way) / max(first.size, second.size)
