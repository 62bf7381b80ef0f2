"""Random 3D faces whose landmarks, pose and expression are known exactly.

They come from the whole ICT-FaceKit model of the data folder, with all of its 100 identity modes
and all expressions, while the fit knows 30 and those that landmarks show. Faces that are turned
show the visible edge of their jaw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import Intrinsics, Landmarks
from steadymark.models.synthesis.faces.face_model import LANDMARKS

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.face3d.face_basis import Floats

CAMERA = Intrinsics(640, 480)
FILE = "face3d/ict_face_model.npz"
AXES = np.array([1.0, -1.0, -1.0])  # from the file's axes to the camera's
MM = 10.0  # per centimetre
_CHIN, _BROW = 8, 27  # landmarks at the ends of the face's long axis
_EYES = (36, 45)
_PITCH, _ROLL = 25 / 45, 20 / 45  # largest angles, as shares of the largest yaw
# Chance and largest strength of the expressions of random faces; both sides move alike, nearly.
_SIDED = {
    "mouthSmile": (0.35, 1.0),
    "mouthFrown": (0.2, 1.0),
    "mouthUpperUp": (0.25, 1.0),
    "mouthLowerDown": (0.25, 1.0),
    "mouthPress": (0.15, 1.0),
    "mouthStretch": (0.2, 1.0),
    "mouthDimple": (0.15, 1.0),
    "noseSneer": (0.15, 1.0),
    "cheekSquint": (0.2, 1.0),
    "browDown": (0.25, 1.0),
    "browInnerUp": (0.25, 1.0),
    "browOuterUp": (0.25, 1.0),
    "eyeSquint": (0.2, 1.0),
    "eyeWide": (0.15, 1.0),
    "eyeBlink": (0.35, 1.0),
    "eyeLookDown": (0.15, 0.5),
    "eyeLookUp": (0.15, 0.5),
    "cheekPuff": (0.1, 0.5),
}
_WHOLE = {
    "jawOpen": (0.6, 1.0),
    "mouthFunnel": (0.3, 1.0),
    "mouthPucker": (0.3, 1.0),
    "mouthLeft": (0.1, 1.0),
    "mouthRight": (0.1, 1.0),
    "jawLeft": (0.1, 0.7),
    "jawRight": (0.1, 0.7),
    "jawForward": (0.15, 0.7),
    "mouthRollLower": (0.15, 1.0),
    "mouthRollUpper": (0.15, 1.0),
    "mouthShrugLower": (0.15, 1.0),
    "mouthShrugUpper": (0.15, 1.0),
}
_CLOSING = 0.2  # chance that the lips are closed over an open jaw


@dataclass(frozen=True, slots=True, eq=False)
class RandomFace:
    """One frame of a random person.

    Attributes:
        landmarks: The 68 landmarks with noise, in pixels of `CAMERA`.
        rotation: (3, 3) rotation from the face's axes to the camera's.
        points_mm: (68, 3) landmarks without noise in the camera's axes, relative to their mean.
        strengths: Strength of each expression of the model, 0 to 1.
        eye_distance_mm: Distance of the outer eye corners.
        position_mm: (3,) position of the origin of the face's axes in the camera's axes. The origin
            is the mean of the landmarks of the model's neutral face.
    """

    landmarks: Landmarks
    rotation: Floats
    points_mm: Floats
    strengths: dict[str, float]
    eye_distance_mm: float
    position_mm: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    neutral: Floats
    identity: Floats
    expressions: dict[str, Floats]


class RandomPerson:
    """A person with a random identity.

    Args:
        data: The data folder with `FILE`.
        rng: Makes all random choices.
        noise: Standard deviation of the landmarks' noise in units of the eye distance.

    Raises:
        UsageError: The data folder has no face model.
    """

    def __init__(self, data: Path, rng: np.random.Generator, *, noise: float = 0.005) -> None:
        self._model, self._rng, self._noise = _whole_model(data), rng, noise
        self._weights = rng.normal(size=len(self._model.identity)).clip(-2.5, 2.5)
        self._rest = self._model.neutral + np.tensordot(self._weights, self._model.identity, 1)

    def frame(self, *, yaw_deg: float, strength: float) -> RandomFace:
        """Return a frame with a random pose and expression.

        Args:
            yaw_deg: Largest yaw; pitch and roll are smaller in proportion.
            strength: Factor of the expressions; 0 for a neutral face.
        """
        return self._photographed(random_expression(self._rng, strength), yaw_deg)

    def _photographed(
        self, strengths: dict[str, float], yaw_deg: float, label_mm: Floats | float = 0.0
    ) -> RandomFace:
        """Return a frame with an expression and a random pose.

        Args:
            strengths: Strength of each expression.
            yaw_deg: Largest yaw.
            label_mm: (68, 2) offset of labels from the landmarks, along x and y of the face.
        """
        rng = self._rng
        shape = self._rest + sum(
            (value * self._model.expressions[name] for name, value in strengths.items()),
            np.zeros_like(self._rest),
        )
        shape[:LANDMARKS, :2] += label_mm
        largest = np.radians(yaw_deg) * np.array([_PITCH, 1.0, _ROLL])
        rotation = rotation_matrix(tuple(rng.uniform(-largest, largest)))
        position = np.array([rng.uniform(-80, 80), rng.uniform(-60, 60), rng.uniform(400, 900)])
        points = shape @ rotation.T
        ray = (points + position)[:, :2] / (points + position)[:, 2:]
        xy = ray * CAMERA.focal + CAMERA.matrix[:2, 2]
        eyes_mm = float(np.linalg.norm(shape[_EYES[0]] - shape[_EYES[1]]))
        spread = self._noise * eyes_mm * CAMERA.focal / position[2]
        seen = _visible_edge(xy) + spread * rng.normal(size=(LANDMARKS, 2))
        landmarks = Landmarks(seen.astype(np.float32), np.ones(LANDMARKS, np.float32))
        centred = points[:LANDMARKS] - points[:LANDMARKS].mean(0)
        return RandomFace(landmarks, rotation, centred, strengths, eyes_mm, position)


@cache
def _whole_model(data: Path) -> _Model:
    """Return the 68 landmarks and the edges of both cheeks, 17 points each, in millimetres."""
    path = data / FILE
    if not path.is_file():
        raise UsageError(
            "{data} has no {file}: name the data folder that training.md describes",
            data=str(data),
            file=FILE,
        )
    with np.load(path) as file:
        rows = np.r_[file["landmarks68"], file["jaw_right_extended"], file["jaw_left_extended"]]
        scale = MM * float(file["step_cm"]) * AXES
        neutral = file["neutral"][rows].astype(np.float64) * MM * AXES
        names = [str(name) for name in file["expression_names"]]
        moves = file["expression"][:, rows] * scale
        return _Model(
            neutral - neutral[:LANDMARKS].mean(0),
            file["identity"][:, rows] * scale,
            dict(zip(names, moves, strict=True)),
        )


def random_expression(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """Return the strengths of a random expression."""
    found: dict[str, float] = {}
    for name, (chance, most) in _SIDED.items():
        if rng.random() < chance:
            both = most * rng.random()
            for side in "LR":
                found[f"{name}_{side}"] = float(np.clip(both * (1 + 0.15 * rng.normal()), 0, 1))
    for name, (chance, most) in _WHOLE.items():
        if rng.random() < chance:
            found[name] = most * rng.random()
    if rng.random() < _CLOSING:
        found["mouthClose"] = found.get("jawOpen", 0.0) * rng.random()
    return {name: strength * value for name, value in found.items()}


def _visible_edge(xy: Floats) -> Floats:
    """Return the landmarks (68, 2), with the jaw on the visible edge of the face.

    Args:
        xy: (102, 2) projections of the landmarks and of the edges of the right and left cheek,
            which reach from the ear to the chin.
    """
    landmarks = xy[:LANDMARKS].copy()
    chin = landmarks[_CHIN]
    up = (landmarks[_BROW] - chin) / np.linalg.norm(landmarks[_BROW] - chin)
    sides = ((range(_CHIN), LANDMARKS, -1.0), (range(_CHIN + 1, 17), LANDMARKS + 17, 1.0))
    for jaw, first, sign in sides:
        out = sign * np.array([-up[1], up[0]])
        edge = xy[first : first + 17] - chin
        order = np.argsort(edge @ up)
        for landmark in jaw:
            offset = landmarks[landmark] - chin
            furthest = np.interp(
                offset @ up, (edge @ up)[order], (edge @ out)[order], -np.inf, -np.inf
            )
            landmarks[landmark] += max(0.0, float(furthest - offset @ out)) * out
    return landmarks
