"""How exactly the gaze of random people is found, before and after a calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.face3d.face3d_benchmark import LEARNED, MEASURED
from steadymark.engine.bench.face3d.random_faces import CAMERA
from steadymark.engine.bench.face3d.random_gaze import GazingPerson
from steadymark.engine.core.gaze import Gaze, GazeCalibration, gaze_angles, mean_direction
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import follow_identity
from steadymark.engine.gaze.gaze_calibration import fit_calibration
from steadymark.engine.gaze.line_of_sight import directions_to_pupils, gaze_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.bench.face3d.random_gaze import GazingFace
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.face3d.face_basis import Floats

LARGEST_DEG = (25.0, 20.0)  # horizontal and vertical angle of the gaze relative to the head
POINTS = 9  # that a person looks at for the calibration
_STEP_S = 0.5  # time between two frames
_FRAMES = 10  # in which the person looks at each point
_GRID_DEG = 15.0  # angle of the outer points
_CALIBRATION_YAW_DEG = 5.0  # largest yaw of the head during the calibration


@dataclass(frozen=True, slots=True)
class GazeChoice:
    """Which random people are measured.

    Attributes:
        people: Number of people; `MEASURED` frames of each.
        yaw_deg: Largest yaw of the head in degrees.
        noise: Standard deviation of the noise of landmarks and pupils, in units of the eye
            distance.
        seed: Seed of all random choices.
    """

    people: int = 20
    yaw_deg: float = 30.0
    noise: float = 0.005
    seed: int = 0


class _Seen(NamedTuple):
    truth: GazingFace
    fit: FaceFit

    def gaze(self, calibration: GazeCalibration | None) -> Gaze:
        truth = self.truth
        return gaze_of(self.fit, truth.face.landmarks, truth.pupils, CAMERA, calibration)

    def gaze_of_true_eyes(self) -> Gaze:
        truth = self.truth
        directions = directions_to_pupils(
            truth.pupils.xy_px, truth.centres_mm, CAMERA, truth.radius_mm
        )
        sight = truth.kappa.corrected(directions @ truth.face.rotation)
        directions = sight @ truth.face.rotation.T
        return Gaze(truth.centres_mm, directions, directions @ self.fit.rotation)


@dataclass(frozen=True, slots=True)
class GazeErrors:
    """Angles between found and true gaze in degrees, of n frames.

    Attributes:
        gaze: (n,) of the mean of both eyes, in the camera's axes.
        one_eye: (2 n,) of each eye.
        head: (n,) of the mean of both eyes relative to the head, which the error of the head pose
            is a part of.
    """

    gaze: Floats
    one_eye: Floats
    head: Floats


class GazeFigures(NamedTuple):
    """The errors without a calibration, with one of a point or of `POINTS`, and with true eyeballs.

    The single point is straight ahead. The last errors are those of the pupils alone.
    """

    before: GazeErrors
    one_look: GazeErrors
    after: GazeErrors
    true_eyes: GazeErrors


def measure_gaze(
    data: Path, choice: GazeChoice, progress: Callable[[int, int], None]
) -> GazeFigures:
    """Measure the gaze of random people, whose 3D face was learned.

    Args:
        data: The data folder.
        choice: The people.
        progress: Called with the number of people that are done, and of all.

    Returns:
        The errors.

    Raises:
        UsageError: The data folder has no face model.
    """
    before, one_look, after, known = [], [], [], []
    for number in range(choice.people):
        rng = np.random.default_rng((choice.seed, number))
        person = GazingPerson(data, rng, noise=choice.noise)
        learned, seen = _frames(person, rng, choice.yaw_deg)
        single, calibration = _calibrated(person, learned)
        before += [_error(each, each.gaze(None)) for each in seen]
        one_look += [_error(each, each.gaze(single)) for each in seen]
        after += [_error(each, each.gaze(calibration)) for each in seen]
        known += [_error(each, each.gaze_of_true_eyes()) for each in seen]
        progress(number + 1, choice.people)
    return GazeFigures(*map(_errors, (before, one_look, after, known)))


def _frames(
    person: GazingPerson, rng: np.random.Generator, yaw_deg: float
) -> tuple[Floats, list[_Seen]]:
    """Return the identity that was learned of a person, and the frames that are measured."""
    identity, seen = None, []
    for index in range(LEARNED + MEASURED):
        frame = person.look(
            angles_deg=rng.uniform(np.negative(LARGEST_DEG), LARGEST_DEG),
            yaw_deg=yaw_deg,
            strength=float(index % 3 > 0),
        )
        identity = follow_identity(identity, frame.face.landmarks, CAMERA, index * _STEP_S)
        if identity is not None and index >= LEARNED:
            seen.append(_fitted(frame, identity.used))
    if identity is None:
        raise ArithmeticError("no random face could be fitted")
    return identity.used, seen


def _fitted(frame: GazingFace, identity: Floats) -> _Seen:
    fit = fit_face(frame.face.landmarks, CAMERA, identity)
    if fit is None:
        raise ArithmeticError("a random face could not be fitted")
    return _Seen(frame, fit)


def _calibrated(person: GazingPerson, identity: Floats) -> tuple[GazeCalibration, GazeCalibration]:
    """Return calibrations of a person who looks at a grid of points, head nearly still.

    The first is that of the point in the middle alone.
    """
    grid = np.linspace(-_GRID_DEG, _GRID_DEG, round(POINTS**0.5))
    measured, wanted = [], []
    for point in np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2):
        seen = [
            _fitted(
                person.look(angles_deg=point, yaw_deg=_CALIBRATION_YAW_DEG, strength=0.0), identity
            )
            for _ in range(_FRAMES)
        ]
        found = [gaze_angles(each.gaze(None).head_directions) for each in seen]
        # What a researcher knows is the point in the room, seen from the fitted head.
        there = [gaze_angles(each.fit.rotation.T @ each.truth.direction) for each in seen]
        measured.append(np.median(found, 0))
        wanted.append(np.tile(np.median(there, 0), (2, 1)))
    angles, there_deg = np.degrees(measured), np.degrees(wanted)
    middle = slice(POINTS // 2, POINTS // 2 + 1)
    single = fit_calibration("", angles[middle], there_deg[middle], fewest=1)
    return single.calibration, fit_calibration("", angles, there_deg).calibration


def _error(seen: _Seen, gaze: Gaze) -> list[float]:
    """Return the errors of the mean gaze, of both eyes, and relative to the head, in degrees."""
    truth = seen.truth
    found = [(mean_direction(gaze.directions), truth.direction)]
    found += [(direction, truth.direction) for direction in gaze.directions]
    found.append((mean_direction(gaze.head_directions), truth.head_direction))
    return [angle_deg(first, second) for first, second in found]


def _errors(rows: list[list[float]]) -> GazeErrors:
    table = np.array(rows)
    return GazeErrors(table[:, 0], table[:, 1:3].ravel(), table[:, 3])


def angle_deg(first: Floats, second: Floats) -> float:
    """Return the angle between two vectors (3,) in degrees."""
    across = np.linalg.norm(np.cross(first, second))
    return float(np.degrees(np.arctan2(across, first @ second)))
