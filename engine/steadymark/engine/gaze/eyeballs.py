"""The eyeballs of the fitted 3D face.

The centres move with the identity and the pose of the face. The landmarks of the eyes say more:
lids follow the gaze, which the fit explains by other movements, and eyes lie a little elsewhere on
each person. A linear correction, learned on random faces (`app/tools/data_statistics`), takes this
from the residuals of the eyes' landmarks and from the person's offsets of labels.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.face3d.face_basis import load_label_statistics
from steadymark.models.face.schema import assets_root
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.types import Intrinsics, Landmarks
    from steadymark.engine.face3d.face_basis import Floats

# Distance of the pupil that a camera sees from the centre about which the eye turns: the centre is
# 13.5 mm behind the cornea (Fry and Hill, 1962), the entrance pupil 3.05 mm (Gullstrand's eye).
RADIUS_MM = 10.5
EYES = slice(36, 48)  # landmarks of both eyes
_MM = 10.0  # per centimetre
_FARTHEST_MM = 3.0  # A residual that is larger shows an error of the landmark, not the eye.
_FULL_SCORE = 0.6  # score of a landmark from which it counts fully


@dataclass(frozen=True, slots=True, eq=False)
class EyeballBasis:
    """A linear model of the centres of the eyeballs, in millimetres along the face's axes.

    The first eye is the person's right one.

    Attributes:
        neutral: (2, 3) centres of the average adult face.
        identity: (M, 6) displacement of both centres by one standard deviation of each mode of
            `FaceBasis.identity`.
        residual_shares: (24, 6) displacement for each millimetre by which the eyes' landmarks lie
            to the right (first of each pair) or below the fitted face.
    """

    neutral: Floats
    identity: Floats
    residual_shares: Floats


def eyeballs_path() -> Path:
    """Return the path of the eyeballs' file, see `app/tools/data_statistics`."""
    return assets_root() / "schemas" / "face3d" / "eyeballs.json"


@cache
def eyeball_basis() -> EyeballBasis:
    """Return the eyeballs of ICT-FaceKit, and the correction of their centres."""
    content = json.loads(eyeballs_path().read_text(encoding="utf-8"))
    neutral, identity = (np.array(content[name]) for name in ("neutral_mm", "identity_mm"))
    offset, residuals, labels = (
        np.pad(content[name], ((0, 0),) * (depth - 1) + ((0, 1),))  # The correction has no depth.
        for name, depth in (("offset_mm", 2), ("residual_shares", 3), ("label_shares", 3))
    )
    pitch = rotation_matrix((math.radians(load_label_statistics().pitch_deg), 0.0, 0.0)).T
    centred, modes = _along_landmarks(neutral, identity)
    every_mode = np.concatenate((modes @ pitch, labels))
    return EyeballBasis(
        centred @ pitch + offset,
        every_mode.reshape(len(every_mode), 6),
        residuals.reshape(len(residuals), 6),
    )


def _along_landmarks(neutral: Floats, identity: Floats) -> tuple[Floats, Floats]:
    """Return centres and modes in the axes of `FaceBasis`: without the shift and size of a mode."""
    model = load_face_model()
    face = _MM * model.neutral[:LANDMARKS]
    moves = _MM * model.identity[:, :LANDMARKS]
    centred, shift = neutral - face.mean(0), moves.mean(1, keepdims=True)
    face = face - face.mean(0)
    growth = np.tensordot(moves - shift, face, 2) / (face * face).sum()
    return centred, identity - shift - growth[:, None, None] * centred


def eye_centres(fit: FaceFit, points: Landmarks, camera: Intrinsics) -> Floats:
    """Return the centres of the eyeballs of a fitted face.

    Args:
        fit: The 3D face.
        points: The 68 landmarks that it was fitted to.
        camera: The camera.

    Returns:
        (2, 3) millimetres in the camera's axes; the first is the person's right eye.
    """
    basis = eyeball_basis()
    moves = fit.identity[: len(basis.identity)] @ basis.identity
    moves += eye_residuals(fit, points, camera) @ basis.residual_shares
    placed: Floats = (basis.neutral + moves.reshape(2, 3)) @ fit.rotation.T + fit.position
    return placed


def eye_residuals(fit: FaceFit, points: Landmarks, camera: Intrinsics) -> Floats:
    """Return (24,) millimetres from the fitted to the observed landmarks of the eyes.

    They are x and y of each landmark along the face's axes. Landmarks that are not known count as
    those of the fit, and those of low scores count less.
    """
    placed = fit.shape[EYES] @ fit.rotation.T + fit.position
    middle = ((camera.width - 1) / 2, (camera.height - 1) / 2)
    seen = (points.xy_px[EYES] - middle) / camera.focal
    along = (seen * placed[:, 2:] - placed[:, :2]) @ fit.rotation[:2, :2]
    weights = points.score[EYES, None] / _FULL_SCORE
    residuals: Floats = (
        np.minimum(np.maximum(along, -_FARTHEST_MM), _FARTHEST_MM) * np.minimum(weights, 1)
    ).ravel()
    residuals[np.isnan(residuals)] = 0
    return residuals
