"""Fit a 3D face model to the 68 landmarks of a photo, and derive its expression displacements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from steadymark.models.synthesis.faces.face_model import FaceModel

Floats = NDArray[np.float64]

# movement → weights of the model's expressions at full strength
MOVEMENTS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "funnel": {"mouthFunnel": 1.0},
    "pucker": {"mouthPucker": 1.0},
    "teeth": {
        "mouthUpperUp_L": 0.8,
        "mouthUpperUp_R": 0.8,
        "mouthLowerDown_L": 0.8,
        "mouthLowerDown_R": 0.8,
    },
    "smile_L": {"mouthSmile_L": 1.0, "cheekSquint_L": 0.5, "mouthDimple_L": 0.3},
    "smile_R": {"mouthSmile_R": 1.0, "cheekSquint_R": 0.5, "mouthDimple_R": 0.3},
    "brows_up": {
        "browInnerUp_L": 1.0,
        "browInnerUp_R": 1.0,
        "browOuterUp_L": 0.9,
        "browOuterUp_R": 0.9,
    },
    "brows_down": {"browDown_L": 1.0, "browDown_R": 1.0},
    "jaw_side": {"jawLeft": 1.0, "mouthLeft": 0.3},
    "chin": {
        "mouthShrugLower": 0.6,
        "mouthShrugUpper": 0.6,
        "mouthFrown_L": 0.6,
        "mouthFrown_R": 0.6,
    },
    "lid_L": {"eyeBlink_L": 1.0},
    "lid_R": {"eyeBlink_R": 1.0},
}
_FITTED = ("jaw", "smile_L", "smile_R", "brows_up", "brows_down", "pucker", "lid_L", "lid_R")
_ROUNDS = 6  # iterations of pose and coefficients
# Weights of the jaw line, the brows and all other landmarks.
_WEIGHTS = np.r_[np.full(17, 0.15), np.full(10, 0.5), np.ones(41)]
_RIDGE = 0.06  # landmark noise in cm relative to one standard deviation of a mode
_FACING = 0.12  # least component of a normal towards the camera for a visible point


@dataclass(frozen=True, slots=True, eq=False)
class FittedFace:
    """A fitted 3D face, in pixels of its photo: x right, y down, z away from the camera.

    Attributes:
        rest: (n, 3) points; the first 68 lie exactly on the photo's landmarks.
        moves: (J, n, 3) displacements at full strength of each of `MOVEMENTS`.
        pivot: (3,) centre of head rotation.
        seen: (n,) bool, points that face the camera; landmarks are always True.
    """

    rest: Floats
    moves: Floats
    pivot: Floats
    seen: NDArray[np.bool_]


def fit_face(points: NDArray[np.floating]) -> FittedFace:
    """Fit identity, expression and a weak perspective pose to the landmarks (68, 2) of a photo.

    The coefficients are solved by ridge least squares, alternating with the pose. The remaining
    landmark residual is interpolated smoothly and added to all points of the face.
    """
    rows, target = load_face_model(), points.astype(np.float64)
    moves = _movements(rows)
    modes = np.concatenate((rows.identity, moves[[list(MOVEMENTS).index(n) for n in _FITTED]]))
    shape = rows.neutral
    for _ in range(_ROUNDS):
        turn, shift = _pose(shape[:LANDMARKS], target)
        shape = rows.neutral + _coefficients(rows.neutral, modes, turn, shift, target)
    turn, shift = _pose(shape[:LANDMARKS], target)
    rest = shape @ turn.T
    rest[:, :2] += shift
    off = np.zeros((LANDMARKS, 2))
    off[:] = target - rest[:LANDMARKS, :2]
    rest[:, :2] += spread(rest[:LANDMARKS, :2], off, rest[:, :2])
    rest[:LANDMARKS, :2] = target
    scale = np.linalg.norm(turn[0])
    seen = (rows.normals @ turn.T)[:, 2] / scale < -_FACING
    seen[:LANDMARKS] = True
    pivot = np.array((0.0, 1.0, -1.0)) @ turn.T
    pivot[:2] += shift
    return FittedFace(rest, moves @ turn.T, pivot, seen)


def spread(places: Floats, values: Floats, wanted: Floats) -> Floats:
    """Interpolate values (k, c) at places (k, 2) smoothly at positions wanted (n, 2): (n, c).

    The radial basis function is r, with a constant term, so that values beyond the places stay
    bounded.
    """
    k = len(places)
    system = np.ones((k + 1, k + 1))
    system[k, k] = 0
    system[:k, :k] = np.linalg.norm(places[:, None] - places, axis=-1)
    # Keeps the system regular if places coincide, as the lips may.
    system[np.arange(k), np.arange(k)] -= 1e-3
    solved = np.linalg.solve(system, np.concatenate((values, np.zeros((1, values.shape[1])))))
    away = np.linalg.norm(wanted[:, None] - places, axis=-1)
    carried: Floats = away @ solved[:k] + solved[k]
    return carried


def _movements(rows: FaceModel) -> Floats:
    """Return the displacements (J, n, 3) of `MOVEMENTS` in centimetres."""
    return np.stack(
        [
            np.sum([weight * rows.expressions[name] for name, weight in parts.items()], axis=0)
            for parts in MOVEMENTS.values()
        ]
    )


def _pose(shape: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Fit a scaled rotation (3, 3) and a shift (2,) from a shape (68, 3) to landmarks (68, 2)."""
    weights = _WEIGHTS[:, None] / _WEIGHTS.sum()
    middle, aim = (weights * shape).sum(0), (weights * target).sum(0)
    root = np.sqrt(weights)
    linear = np.linalg.lstsq(root * (shape - middle), root * (target - aim), rcond=None)[0].T
    left, stretch, right = np.linalg.svd(linear, full_matrices=False)
    two = left @ right
    turn = stretch.mean() * np.stack((*two, np.cross(two[0], two[1])))
    return turn, aim - (turn @ middle)[:2]


def _coefficients(
    neutral: Floats, modes: Floats, turn: Floats, shift: Floats, target: Floats
) -> Floats:
    """Return the displacement (n, 3) of the face by the modes that explain the landmarks best."""
    scale = np.linalg.norm(turn[0])
    seen = modes[:, :LANDMARKS] @ turn[:2].T / scale  # (m, 68, 2) cm
    missing = (target - shift - neutral[:LANDMARKS] @ turn[:2].T) / scale
    system = seen.reshape(len(modes), -1) * np.sqrt(np.repeat(_WEIGHTS, 2))
    wanted = missing.reshape(-1) * np.sqrt(np.repeat(_WEIGHTS, 2))
    prior = np.full(len(modes), _RIDGE)
    prior[-len(_FITTED) :] *= 2  # the coefficients of expressions lie between about 0 and 0.5
    solved = np.linalg.solve(system @ system.T + np.diag(prior**2) * 68, system @ wanted)
    solved[-len(_FITTED) :] = solved[-len(_FITTED) :].clip(-0.3, 1)
    moved: Floats = np.tensordot(solved, modes, 1)
    return moved
