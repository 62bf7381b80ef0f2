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
JAW = slice(0, 17)  # landmarks of the jaw line
_JAW_WEIGHT = 0.15
# Weights of the jaw line, the brows and all other landmarks.
_WEIGHTS = np.r_[np.full(17, _JAW_WEIGHT), np.full(10, 0.5), np.ones(41)]
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
    model, target = load_face_model(), points.astype(np.float64)
    shape, rotation, shift = fit_shape(target)
    displacements = _movement_displacements(model)
    rest = shape @ rotation.T
    rest[:, :2] += shift
    residual = np.zeros((LANDMARKS, 2))
    residual[:] = target - rest[:LANDMARKS, :2]
    rest[:, :2] += interpolate_smoothly(rest[:LANDMARKS, :2], residual, rest[:, :2])
    rest[:LANDMARKS, :2] = target
    scale = np.linalg.norm(rotation[0])
    seen = (model.normals @ rotation.T)[:, 2] / scale < -_FACING
    seen[:LANDMARKS] = True
    pivot = np.array((0.0, 1.0, -1.0)) @ rotation.T
    pivot[:2] += shift
    return FittedFace(rest, displacements @ rotation.T, pivot, seen)


def fit_shape(
    points: NDArray[np.floating], *, jaw_weight: float = _JAW_WEIGHT
) -> tuple[Floats, Floats, Floats]:
    """Fit shape and pose of the 3D face to the landmarks (68, 2) of a photo.

    Args:
        points: The landmarks in pixels.
        jaw_weight: Weight of the jaw's landmarks, relative to those of eyes, nose and mouth.

    Returns:
        The shape (n, 3) in centimetres, whose first 68 points are the landmarks; the scaled
        rotation (3, 3) and the shift (2,) that project it into the photo.
    """
    model, target = load_face_model(), points.astype(np.float64)
    weights = _WEIGHTS.copy()
    weights[JAW] = jaw_weight
    displacements = _movement_displacements(model)
    modes = np.concatenate(
        (model.identity, displacements[[list(MOVEMENTS).index(n) for n in _FITTED]])
    )
    shape = model.neutral
    for _ in range(_ROUNDS):
        pose = _pose(shape[:LANDMARKS], target, weights)
        shape = model.neutral + _coefficients(model.neutral, modes, *pose, target, weights)
    return shape, *_pose(shape[:LANDMARKS], target, weights)


def interpolate_smoothly(sources: Floats, values: Floats, positions: Floats) -> Floats:
    """Interpolate values (k, c) at places (k, 2) smoothly at positions wanted (n, 2): (n, c).

    The radial basis function is r, with a constant term, so that values beyond the places stay
    bounded.
    """
    count = len(sources)
    system = np.ones((count + 1, count + 1))
    system[count, count] = 0
    system[:count, :count] = np.linalg.norm(sources[:, None] - sources, axis=-1)
    # Keeps the system regular if places coincide, as the lips may.
    system[np.arange(count), np.arange(count)] -= 1e-3
    coefficients = np.linalg.solve(system, np.concatenate((values, np.zeros((1, values.shape[1])))))
    distances = np.linalg.norm(positions[:, None] - sources, axis=-1)
    interpolated: Floats = distances @ coefficients[:count] + coefficients[count]
    return interpolated


def _movement_displacements(model: FaceModel) -> Floats:
    """Return the displacements (J, n, 3) of `MOVEMENTS` in centimetres."""
    return np.stack(
        [
            np.sum([weight * model.expressions[name] for name, weight in parts.items()], axis=0)
            for parts in MOVEMENTS.values()
        ]
    )


def _pose(shape: Floats, target: Floats, landmark_weights: Floats) -> tuple[Floats, Floats]:
    """Fit a scaled rotation (3, 3) and a shift (2,) from a shape (68, 3) to landmarks (68, 2)."""
    weights = landmark_weights[:, None] / landmark_weights.sum()
    shape_centre, target_centre = (weights * shape).sum(0), (weights * target).sum(0)
    root_weights = np.sqrt(weights)
    linear = np.linalg.lstsq(
        root_weights * (shape - shape_centre), root_weights * (target - target_centre), rcond=None
    )[0].T
    left, singular_values, right = np.linalg.svd(linear, full_matrices=False)
    first_rows = left @ right
    rotation = singular_values.mean() * np.stack(
        (*first_rows, np.cross(first_rows[0], first_rows[1]))
    )
    return rotation, target_centre - (rotation @ shape_centre)[:2]


def _coefficients(
    neutral: Floats,
    modes: Floats,
    rotation: Floats,
    shift: Floats,
    target: Floats,
    weights: Floats,
) -> Floats:
    """Return the displacement (n, 3) of the face by the modes that explain the landmarks best."""
    scale = np.linalg.norm(rotation[0])
    projected = modes[:, :LANDMARKS] @ rotation[:2].T / scale  # (m, 68, 2) cm
    residual = (target - shift - neutral[:LANDMARKS] @ rotation[:2].T) / scale
    system = projected.reshape(len(modes), -1) * np.sqrt(np.repeat(weights, 2))
    right_side = residual.reshape(-1) * np.sqrt(np.repeat(weights, 2))
    prior = np.full(len(modes), _RIDGE)
    prior[-len(_FITTED) :] *= 2  # the coefficients of expressions lie between about 0 and 0.5
    coefficients = np.linalg.solve(system @ system.T + np.diag(prior**2) * 68, system @ right_side)
    coefficients[-len(_FITTED) :] = coefficients[-len(_FITTED) :].clip(-0.3, 1)
    displacement: Floats = np.tensordot(coefficients, modes, 1)
    return displacement
