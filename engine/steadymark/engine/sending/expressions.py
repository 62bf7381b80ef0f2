"""How a face moves in itself, whichever way the head is turned: lids, brows and mouth as numbers.

Landmarks are laid onto the depths that the mean face has there, and turned back by the head's
pose. What is measured then is compared with how faces look at rest and at their most (RANGES):
nothing is learnt of a person, so a frame's numbers follow from that frame alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.pose import POINTS, mean_face

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.types import TrackedFace

Array = NDArray[np.float64]
_NOSE, _JAW = (27, 30), (0, 16)
_UPPER_LIP, _MIDDLE = [50, 51, 52], [27, 30, 51, 57, 62, 66]


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


def _length(points: Array, ends: tuple[int, int]) -> np.floating:
    return np.linalg.norm(points[ends[0]] - points[ends[1]])


def _eye(points: Array, *, corners: tuple[int, int], lids: tuple[tuple[int, int], ...]) -> float:
    """Mean distance of the lids over the width of the eye."""
    gaps = [_length(points, pair) for pair in lids]
    return float(np.mean(gaps) / _length(points, corners))


def _brow_up(points: Array, *, brow: list[int]) -> float:
    """Its height over the root of the nose, in lengths of the nose."""
    return float((points[27, 1] - points[brow, 1].mean()) / _length(points, _NOSE))


def _brow_steep(points: Array, *, brow: list[int]) -> float:
    """Degrees by which the inner end, named first, is higher than the outer."""
    along = points[brow[-1]] - points[brow[0]]
    return float(np.degrees(np.arctan2(along[1], abs(along[0]))))


def _brow_quirk(points: Array, *, brow: list[int]) -> float:
    """How high it arches over the line between its ends, in lengths of that line."""
    first, last = points[brow[0], :2], points[brow[-1], :2]
    along = last - first
    across = np.array([along[1], -along[0]]) / np.linalg.norm(along)
    arch = np.abs((points[brow[1:-1], :2] - first) @ across)
    return float(arch.max() / np.linalg.norm(along))


def _corner_down(points: Array, *, corner: int) -> float:
    """How far it is below the upper lip's edge, in lengths of the nose."""
    below = points[corner, 1] - points[_UPPER_LIP, 1].mean()
    return float(below / _length(points, _NOSE))


def _corner_out(points: Array, *, corner: int) -> float:
    """How far it is from the middle of the face, in widths of the jaw."""
    return float(abs(points[corner, 0] - points[_MIDDLE, 0].mean()) / _length(points, _JAW))


def _mouth_open(points: Array) -> float:
    """Mean distance of the inner lips, in lengths of the nose."""
    gaps = [_length(points, pair) for pair in ((61, 67), (62, 66), (63, 65))]
    return float(np.mean(gaps) / _length(points, _NOSE))


def _mouth_wide(points: Array) -> float:
    """Distance of the inner corners, in widths of the jaw."""
    return float(abs(points[60, 0] - points[64, 0]) / _length(points, _JAW))


_BROWS = {"l": [22, 23, 24, 25, 26], "r": [21, 20, 19, 18, 17]}  # from inside to outside
_CORNERS = {"l": 64, "r": 60}
MEASURES: dict[str, Callable[[Array], float]] = {
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
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: _shared(measure(solid), *RANGES[name]) for name, measure in MEASURES.items()}


def openness(eye: float) -> float:
    """1 open, 0 closed, of an eye's feature, as OpenSeeFace has it: 1 − min(1, max(0, −eye))."""
    return 1.0 - min(1.0, max(0.0, -eye))


def _shared(value: float, least: float, rest: float, most: float) -> float:
    if not np.isfinite(value):
        return 0.0
    share = (value - rest) / (rest - least if value < rest else most - rest)
    return float(np.clip(share, -1.0, 1.0))
