"""Random 3D faces that look somewhere, with exact eyeballs and pupils.

The landmarks lie where people label them, as in real videos. The lids follow the gaze.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.face3d.random_faces import (
    AXES,
    CAMERA,
    FILE,
    MM,
    RandomPerson,
    random_expression,
)
from steadymark.engine.core.gaze import GazeCalibration, gaze_vectors
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.expressions.arkit import LOOK_FULL_DEG
from steadymark.engine.face3d.face_basis import load_label_statistics
from steadymark.engine.gaze.eyeballs import RADIUS_MM
from steadymark.engine.gaze.line_of_sight import KAPPA_DEG

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.bench.face3d.random_faces import RandomFace
    from steadymark.engine.face3d.face_basis import Floats

_PARTS = ("sclera_right", "sclera_left")
_RADIUS_DEVIATION = 0.04  # of people's eyeballs, as a share of the radius
_KAPPA_DEVIATION_DEG = 1.5  # of the angle between the axis and the line of sight
_LEFT_OUT = ("eyeLook", "eyeBlink")  # expressions that the gaze makes, or that hide the pupils


@dataclass(frozen=True, slots=True, eq=False)
class GazingFace:
    """One frame of a random person who looks somewhere.

    Attributes:
        face: The face.
        pupils: Both pupils, with the same noise as the landmarks.
        direction: (3,) unit vector along the line of sight of both eyes in the camera's axes.
        head_direction: (3,) the same in the face's axes.
        centres_mm: (2, 3) centres of the eyeballs in the camera's axes, the right eye first.
        radius_mm: Distance of the pupils from them.
        kappa: The offset of the lines of sight from the axes of the eyes.
    """

    face: RandomFace
    pupils: Pupils
    direction: Floats
    head_direction: Floats
    centres_mm: Floats
    radius_mm: float
    kappa: GazeCalibration


class GazingPerson(RandomPerson):
    """A person with random eyes, see `RandomPerson`.

    Args:
        data: The data folder.
        rng: Makes all random choices.
        noise: Standard deviation of the noise of landmarks and pupils in units of the eye distance.
        label_deviation: Deviation of the places where people label this person, as a share of the
            deviation of labels.

    Raises:
        UsageError: The data folder has no face model.
    """

    def __init__(
        self,
        data: Path,
        rng: np.random.Generator,
        *,
        noise: float = 0.005,
        label_deviation: float = 0.0,
    ) -> None:
        super().__init__(data, rng, noise=noise)
        neutral, modes = whole_eyes(data)
        self._eyes = neutral + np.tensordot(self._weights, modes, 1)
        self._radius = RADIUS_MM * (1 + _RADIUS_DEVIATION * float(rng.normal()))
        (apart,) = rng.spawn(1)  # Landmarks are then the same whatever the lines of sight are.
        kappa_deg = KAPPA_DEG + _KAPPA_DEVIATION_DEG * float(apart.normal())
        self._kappa = GazeCalibration("", offset_deg=((kappa_deg, 0.0), (-kappa_deg, 0.0)))
        labels = load_label_statistics()
        own = label_deviation * labels.deviation_mm * rng.normal(size=labels.deviation_mm.shape)
        self._labels = labels.offset_mm + own

    def look(self, *, angles_deg: Floats, yaw_deg: float, strength: float) -> GazingFace:
        """Return a frame with a random pose and expression.

        Args:
            angles_deg: (2,) horizontal and vertical angle of the gaze relative to the head, see
                `gaze_angles`.
            yaw_deg: Largest yaw of the head; pitch and roll are smaller in proportion.
            strength: Factor of the expressions.
        """
        strengths = {
            name: value
            for name, value in random_expression(self._rng, strength).items()
            if not name.startswith(_LEFT_OUT)
        } | _lids(*angles_deg.tolist())
        face = self._photographed(strengths, yaw_deg, self._labels)
        head_direction = gaze_vectors(np.radians(angles_deg))
        direction = face.rotation @ head_direction
        centres = self._eyes @ face.rotation.T + face.position_mm
        axes = gaze_vectors(np.radians(angles_deg - np.array(self._kappa.offset_deg)))
        seen = centres + self._radius * axes @ face.rotation.T
        spread = self._noise * face.eye_distance_mm * CAMERA.focal / face.position_mm[2]
        xy = seen[:, :2] / seen[:, 2:] * CAMERA.focal + CAMERA.matrix[:2, 2]
        pupils = Pupils(xy + spread * self._rng.normal(size=(2, 2)), np.ones(2))
        return GazingFace(
            face, pupils, direction, head_direction, centres, self._radius, self._kappa
        )


@cache
def whole_eyes(data: Path) -> tuple[Floats, Floats]:
    """Return the centres of the eyeballs of the whole model.

    Args:
        data: The data folder with the model.

    Returns:
        (2, 3) neutral centres relative to the mean of the neutral landmarks, and (100, 2, 3)
        displacements by each identity mode, in millimetres along the face's axes.
    """
    with np.load(data / FILE) as file:
        parts = [str(part) for part in file["eye_parts"]]
        eyes = [parts.index(part) for part in _PARTS]
        origin = file["neutral"][file["landmarks68"]].astype(np.float64).mean(0)
        neutral = (file["eye_centres"][eyes].astype(np.float64) - origin) * MM * AXES
        return neutral, file["eye_identity"][:, eyes].astype(np.float64) * MM * AXES


def _lids(left_deg: float, down_deg: float) -> dict[str, float]:
    """Return the expressions that lids make with a gaze."""
    sideways, vertical = left_deg / LOOK_FULL_DEG[0], down_deg / LOOK_FULL_DEG[1]
    moves = {"Down": (vertical, vertical), "Up": (-vertical, -vertical)}
    moves |= {"Out": (sideways, -sideways), "In": (-sideways, sideways)}
    return {
        f"eyeLook{name}_{side}": max(0.0, value)
        for name, both in moves.items()
        for side, value in zip("LR", both, strict=True)
    }
