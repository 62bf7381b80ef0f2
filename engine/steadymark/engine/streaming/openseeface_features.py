"""Expression features of a face, independent of the head pose: eyelids, brows and mouth.

The landmarks are placed at the depths of the mean face and rotated back by the head pose. The
measures are then scaled by their values in a face at rest and at its extremes (RANGES).
`neutral_face` replaces the mean person's face at rest by that of the tracked person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.face3d.face_fit import POINTS
from steadymark.engine.face3d.head_pose import mean_face

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from steadymark.engine.core.types import TrackedFace

Array = NDArray[np.float64]
Points = Sequence[Sequence[float]]  # Plain numbers, because NumPy is slow on single values.
Pair = tuple[int, int]
_NOSE, _JAW = (27, 30), (0, 16)
_UPPER_LIP, _MIDDLE = (50, 51, 52), (27, 30, 51, 57, 62, 66)
_LIPS = ((61, 67), (62, 66), (63, 65))


def solid_points(face: TrackedFace) -> Array | None:
    """Return the landmarks in 3-D, rotated to a frontal pose.

    Args:
        face: The tracked face.

    Returns:
        Points, (68, 3), in mm in the face's axes (x to the person's left, y down, z into the head);
            None if the face has no pose or another number of landmarks.
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
    """Return the mean distance of the eyelids divided by the width of the eye."""
    return _mean_distance(points, *lids) / _mean_distance(points, corners)


def _brow_up(points: Points, *, brow: tuple[int, ...]) -> float:
    """Return the height of a brow above the root of the nose, in lengths of the nose."""
    return (points[27][1] - _mean(points, brow, 1)) / _mean_distance(points, _NOSE)


def _brow_steep(points: Points, *, brow: tuple[int, ...]) -> float:
    """Return by how many degrees the inner end, named first, is higher than the outer end."""
    inner, outer = points[brow[0]], points[brow[-1]]
    return math.degrees(math.atan2(outer[1] - inner[1], abs(outer[0] - inner[0])))


def _brow_quirk(points: Points, *, brow: tuple[int, ...]) -> float:
    """Return how high a brow arches over the line between its ends, in lengths of that line."""
    (x, y, _), (far_x, far_y, _) = points[brow[0]], points[brow[-1]]
    along_x, along_y = far_x - x, far_y - y
    between = (points[i] for i in brow[1:-1])
    areas = [abs((p[0] - x) * along_y - (p[1] - y) * along_x) for p in between]
    return max(areas) / (along_x**2 + along_y**2)


def _corner_down(points: Points, *, corner: int) -> float:
    """Return how far a mouth corner is below the edge of the upper lip, in lengths of the nose."""
    return (points[corner][1] - _mean(points, _UPPER_LIP, 1)) / _mean_distance(points, _NOSE)


def _corner_out(points: Points, *, corner: int) -> float:
    """Return how far a mouth corner is from the middle of the face, in widths of the jaw."""
    return abs(points[corner][0] - _mean(points, _MIDDLE, 0)) / _mean_distance(points, _JAW)


def _mouth_open(points: Points) -> float:
    """Return the mean distance of the inner lips, in lengths of the nose."""
    return _mean_distance(points, *_LIPS) / _mean_distance(points, _NOSE)


def _mouth_wide(points: Points) -> float:
    """Return the distance of the inner mouth corners, in widths of the jaw."""
    return abs(points[60][0] - points[64][0]) / _mean_distance(points, _JAW)


def _mean_distance(points: Points, *pairs: Pair) -> float:
    """Return the mean distance of pairs of points."""
    return sum(math.dist(points[a], points[b]) for a, b in pairs) / len(pairs)


def _mean(points: Points, some: tuple[int, ...], axis: int) -> float:
    return sum(points[i][axis] for i in some) / len(some)


_BROWS = {"l": (22, 23, 24, 25, 26), "r": (21, 20, 19, 18, 17)}  # From the inner end outwards.
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

# (least, at rest, most): the 2nd, 50th and 98th percentiles of 464 frontal faces of 300W's training
# part. The median mouth is not closed, so the mouth at rest is that of the mean face.
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
AT_REST = {name: RANGES[name][1] for name in MEASURES}  # the mean person's measures at rest


def features(solid: Array) -> dict[str, float]:
    """Compute OpenSeeFace's 14 expression features from `solid_points`.

    A feature is 0 for a face at rest, −1 for the least and 1 for the largest value of its range in
    RANGES. The suffixes l and r are the person's left and right. Eyes: −1 is closed. Brows: 1 is
    up, with the inner end higher (steepness), or arched (quirk). Mouth corners: 1 is down, or
    outwards. Mouth: 1 is open, or wide. A feature that cannot be measured (NaN) is 0.

    Args:
        solid: Points, (68, 3), in mm.

    Returns:
        Features in [−1, 1] by name, in OpenSeeFace's order.
    """
    return scaled_features(measure(solid), AT_REST)


def scaled_features(measures: Mapping[str, float], rest: Mapping[str, float]) -> dict[str, float]:
    """Scale measures to features relative to a face at rest, see `features`.

    The ends of the ranges stay, since closed eyes and lips look alike in everyone. A person whose
    rest is near an end keeps at least a third of the mean person's range on that side.

    Args:
        measures: Values of `measure`.
        rest: The same values of the face at rest: AT_REST, or a person's own.

    Returns:
        Features in [−1, 1] by name, in the order of `measures`.
    """
    return {name: _scaled(value, rest[name], *RANGES[name]) for name, value in measures.items()}


def measure(solid: Array) -> dict[str, float]:
    """Compute the measures that features are scaled from, see MEASURES.

    Args:
        solid: Points, (68, 3), in mm.

    Returns:
        Measures by name, in OpenSeeFace's order; NaN where one cannot be computed.
    """
    points = solid.tolist()
    return {name: _value(compute, points) for name, compute in MEASURES.items()}


def openness(eye: float) -> float:
    """Return how far an eye is open, as in OpenSeeFace: 1 − min(1, max(0, −eye)).

    Args:
        eye: Feature of the eye, in [−1, 1].

    Returns:
        1 for an open eye and 0 for a closed one.
    """
    return 1.0 - min(1.0, max(0.0, -eye))


def _value(compute: Callable[[Points], float], points: Points) -> float:
    try:
        return compute(points)
    except ZeroDivisionError:
        return math.nan


def _scaled(value: float, rest: float, least: float, mean_rest: float, most: float) -> float:
    if not math.isfinite(value):
        return 0.0
    below = max(rest - least, (mean_rest - least) / 3)
    above = max(most - rest, (most - mean_rest) / 3)
    return min(1.0, max(-1.0, (value - rest) / (below if value < rest else above)))
