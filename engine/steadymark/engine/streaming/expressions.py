"""How a face moves in itself, whichever way the head is turned: lids, brows and mouth as numbers.

Landmarks are laid onto the depths that the mean face has there, and turned back by the head's
pose. What is measured then is compared with how faces look at rest and at their most (RANGES):
nothing is learnt of a person, so a frame's numbers follow from that frame alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.tracking.head_pose import POINTS, mean_face

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import TrackedFace

Array = NDArray[np.float64]
Points = Sequence[Sequence[float]]  # plain numbers: NumPy is slow on single ones
Pair = tuple[int, int]
_NOSE, _JAW = (27, 30), (0, 16)
_UPPER_LIP, _MIDDLE = (50, 51, 52), (27, 30, 51, 57, 62, 66)
_LIPS = ((61, 67), (62, 66), (63, 65))


def solid_points(face: TrackedFace) -> Array | None:
    """(68, 3) mm in the face's own axes (x to the person's left, y down, z into the head).

    None where a face has no pose, or another number of landmarks.
    """
    if face.pose is None or face.stabilized is None or len(face.stabilized.score) != POINTS:
        return None
    camera, shift = face.pose.camera, np.array(face.pose.position_mm)
    depth = (mean_face() @ face.pose.matrix.T + shift)[:, 2:]
    rays = (face.stabilized.xy_px.astype(np.float64) - camera.matrix[:2, 2]) / camera.focal
    seen = np.hstack((rays, np.ones((POINTS, 1)))) * depth
    solid: Array = (seen - shift) @ face.pose.matrix
    return solid


def _eye(points: Points, *, corners: Pair, lids: tuple[Pair, ...]) -> float:
    """Mean distance of the lids over the width of the eye."""
    return _apart(points, *lids) / _apart(points, corners)


def _brow_up(points: Points, *, brow: tuple[int, ...]) -> float:
    """Its height over the root of the nose, in lengths of the nose."""
    return (points[27][1] - _mean(points, brow, 1)) / _apart(points, _NOSE)


def _brow_steep(points: Points, *, brow: tuple[int, ...]) -> float:
    """Degrees by which the inner end, named first, is higher than the outer."""
    inner, outer = points[brow[0]], points[brow[-1]]
    return math.degrees(math.atan2(outer[1] - inner[1], abs(outer[0] - inner[0])))


def _brow_quirk(points: Points, *, brow: tuple[int, ...]) -> float:
    """How high it arches over the line between its ends, in lengths of that line."""
    (x, y, _), (far_x, far_y, _) = points[brow[0]], points[brow[-1]]
    along_x, along_y = far_x - x, far_y - y
    between = (points[i] for i in brow[1:-1])
    areas = [abs((p[0] - x) * along_y - (p[1] - y) * along_x) for p in between]
    return max(areas) / (along_x**2 + along_y**2)


def _corner_down(points: Points, *, corner: int) -> float:
    """How far it is below the upper lip's edge, in lengths of the nose."""
    return (points[corner][1] - _mean(points, _UPPER_LIP, 1)) / _apart(points, _NOSE)


def _corner_out(points: Points, *, corner: int) -> float:
    """How far it is from the middle of the face, in widths of the jaw."""
    return abs(points[corner][0] - _mean(points, _MIDDLE, 0)) / _apart(points, _JAW)


def _mouth_open(points: Points) -> float:
    """Mean distance of the inner lips, in lengths of the nose."""
    return _apart(points, *_LIPS) / _apart(points, _NOSE)


def _mouth_wide(points: Points) -> float:
    """Distance of the inner corners, in widths of the jaw."""
    return abs(points[60][0] - points[64][0]) / _apart(points, _JAW)


def _apart(points: Points, *pairs: Pair) -> float:
    """Mean distance."""
    return sum(math.dist(points[a], points[b]) for a, b in pairs) / len(pairs)


def _mean(points: Points, some: tuple[int, ...], axis: int) -> float:
    return sum(points[i][axis] for i in some) / len(some)


_BROWS = {"l": (22, 23, 24, 25, 26), "r": (21, 20, 19, 18, 17)}  # from inside to outside
_CORNERS = {"l": 64, "r": 60}
MEASURES: dict[str, Callable[[Points], float]] = {
    "eye_l": partial(_eye, corners=(42, 45), lids=((43, 47), (44, 46))),
    "eye_r": partial(_eye, corners=(36, 39), lids=((37, 41), (38, 40))),
    **{
        f"eyebrow_{name}_{side}": partial(measure, brow=_BROWS[side])
        for side in "lr"
        for name, measure in (
            ("steepness", _brow_steep),
            ("updown", _brow_up),
            ("quirk", _brow_quirk),
        )
    },
    **{
        f"mouth_corner_{name}_{side}": partial(measure, corner=_CORNERS[side])
        for side in "lr"
        for name, measure in (("updown", _corner_down), ("inout", _corner_out))
    },
    "mouth_open": _mouth_open,
    "mouth_wide": _mouth_wide,
}

# (least, at rest, most) of 464 faces of 300W's training part that look into the camera: their 2nd,
# 50th and 98th percentiles. A mouth at rest is closed, unlike the median's: there, the mean face.
_EYE, _STEEP, _UP, _QUIRK = (
    (0.12, 0.305, 0.44),
    (-9.5, 3.8, 17.0),
    (0.21, 0.40, 0.65),
    (0.08, 0.17, 0.30),
)
_DOWN, _OUT = (0.045, 0.187, 0.367), (0.095, 0.148, 0.22)
RANGES: dict[str, tuple[float, float, float]] = {
    "eye_l": _EYE,
    "eye_r": _EYE,
    **{f"eyebrow_steepness_{side}": _STEEP for side in "lr"},
    **{f"eyebrow_updown_{side}": _UP for side in "lr"},
    **{f"eyebrow_quirk_{side}": _QUIRK for side in "lr"},
    **{f"mouth_corner_updown_{side}": _DOWN for side in "lr"},
    **{f"mouth_corner_inout_{side}": _OUT for side in "lr"},
    "mouth_open": (0.0, 0.025, 0.47),
    "mouth_wide": (0.20, 0.30, 0.41),
}


def features(solid: Array) -> dict[str, float]:
    """OpenSeeFace's 14, by name and in its order, from `solid_points`; each from −1 to 1.

    0 is a face at rest, −1 the least and 1 the most of its RANGES. l and r are the person's. Eyes:
    −1 closed; brows: 1 up, with the inner end higher (steepness), arched (quirk); corners of the
    mouth: 1 down, out; mouth: 1 open, wide. What cannot be measured (NaN) is 0.
    """
    points = solid.tolist()
    return {name: _shared(measure, points, *RANGES[name]) for name, measure in MEASURES.items()}


def openness(eye: float) -> float:
    """1 open, 0 closed, of an eye's feature, as OpenSeeFace has it: 1 − min(1, max(0, −eye))."""
    return 1.0 - min(1.0, max(0.0, -eye))


def _shared(
    measure: Callable[[Points], float], points: Points, least: float, rest: float, most: float
) -> float:
    try:
        value = measure(points)
    except ZeroDivisionError:
        return 0.0
    if not math.isfinite(value):
        return 0.0
    share = (value - rest) / (rest - least if value < rest else most - rest)
    return min(1.0, max(-1.0, share))
