"""How exactly head pose, 3D landmarks and expressions are found, on random faces with truth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.engine.bench.face3d.random_faces import CAMERA, RandomPerson
from steadymark.engine.expressions.arkit import (
    LOOK_SHAPES,
    SHAPES,
    arkit_shapes,
    shape_shares,
    unseen_shapes,
)
from steadymark.engine.face3d.face_at_rest import Moment, identity_of_moments
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import NEUTRAL_S, follow_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.bench.face3d.random_faces import RandomFace
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.engine.face3d.identity import Identity

LEARNED = 20  # frames that the identity is learned from before any is measured, unless chosen
MEASURED = 30  # frames of each person that are measured; every third is neutral
NEUTRAL = 0.05  # largest strength on a neutral face that counts as none
_DEAD_ZONE = 99.5  # percentile
_NEUTRAL_EVERY = 3
_STEP_S = 0.5  # time between two frames
_NEUTRAL_FRAMES, _NEUTRAL_YAW_DEG = 5, 10.0  # of a known neutral face


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """Which random faces are measured.

    Attributes:
        people: Number of people; `MEASURED` faces of each.
        yaw_deg: Largest yaw in degrees.
        noise: Standard deviation of the landmarks' noise in units of the eye distance.
        seed: Seed of all random choices.
        known_neutral: Whether the user shows each person's neutral face first.
        learned: Number of frames of each person before the first that is measured.
        whole_recording: Whether the person's face is learned from all frames before any is
            measured, as at the end of a recording.
    """

    people: int = 20
    yaw_deg: float = 45.0
    noise: float = 0.005
    seed: int = 0
    known_neutral: bool = False
    learned: int = LEARNED
    whole_recording: bool = False


class MeasuredFace(NamedTuple):
    """A random face and what was found of it."""

    truth: RandomFace
    fit: FaceFit
    fit_ms: float


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """How one of ARKit's shapes is found.

    Attributes:
        name: Its name.
        correlation: Correlation with the truth.
        neutral_share: Share of neutral faces on which its strength is at most `NEUTRAL`.
        neutral_95: 95th percentile of its strength on neutral faces.
    """

    name: str
    correlation: float
    neutral_share: float
    neutral_95: float


def measure_faces(
    data: Path, choice: FaceChoice, progress: Callable[[int, int], None]
) -> list[MeasuredFace]:
    """Fit random faces of random people, after their identity was learned.

    Args:
        data: The data folder.
        choice: The faces.
        progress: Called with the number of people that are done, and of all.

    Returns:
        The measured faces; `MEASURED` of each person.
    """
    rng = np.random.default_rng(choice.seed)
    found = []
    for number in range(choice.people):
        found += _measured_person(RandomPerson(data, rng, noise=choice.noise), choice)
        progress(number + 1, choice.people)
    return found


def _measured_person(person: RandomPerson, choice: FaceChoice) -> list[MeasuredFace]:
    neutral = _neutral_identity(person) if choice.known_neutral else None
    identity, faces, used = neutral, [], []
    for index in range(choice.learned + MEASURED):
        strength = 0.0 if index % _NEUTRAL_EVERY == 0 else 1.0
        face = person.frame(yaw_deg=choice.yaw_deg, strength=strength)
        identity = follow_identity(identity, face.landmarks, CAMERA, index * _STEP_S)
        faces.append(face)
        used.append(None if identity is None else identity.used)
    if choice.whole_recording:
        moments = [Moment(face.landmarks, CAMERA) for face in faces]
        known = identity_of_moments(moments, None if neutral is None else neutral.known)
        used = [known] * len(faces)
    pairs = list(zip(faces, used, strict=True))[choice.learned :]
    return [_measured(face, known) for face, known in pairs if known is not None]


def pose_errors_deg(faces: Sequence[MeasuredFace]) -> Floats:
    """Return the angle between true and fitted rotation of each face, in degrees."""
    return np.array([_angle_deg(face.fit.rotation, face.truth.rotation) for face in faces])


def pitch_bias_deg(faces: Sequence[MeasuredFace]) -> float:
    """Return by how many degrees the fitted faces are turned down about their own axis."""
    turns = [cv2.Rodrigues(f.truth.rotation.T @ f.fit.rotation)[0][0, 0] for f in faces]
    return float(np.degrees(np.mean(turns)))


def point_errors(faces: Sequence[MeasuredFace]) -> Floats:
    """Return (n, 68) the distances of 3D landmarks in % of the eye distance.

    The size is fitted first, since a single camera does not show it.
    """
    errors = []
    for face in faces:
        points = face.fit.shape @ face.fit.rotation.T
        centred, truth = points - points.mean(0), face.truth.points_mm
        size = (centred * truth).sum() / (centred * centred).sum()
        distance = np.linalg.norm(size * centred - truth, axis=1)
        errors.append(100 * distance / face.truth.eye_distance_mm)
    return np.array(errors)


def shape_rows(faces: Sequence[MeasuredFace]) -> list[ShapeRow]:
    """Return a row for each of ARKit's shapes that landmarks show."""
    found = np.array([arkit_shapes(face.fit.expression) for face in faces])
    truth = np.array([true_shapes(face.truth.strengths) for face in faces])
    neutral = is_neutral(faces)
    rows = []
    for place, name in enumerate(SHAPES):
        if name in unseen_shapes() or name in LOOK_SHAPES:
            continue
        varies = truth[:, place].std() > 0 and found[:, place].std() > 0
        both = np.corrcoef(truth[:, place], found[:, place])[0, 1] if varies else np.nan
        at_rest = found[neutral, place]
        rows.append(
            ShapeRow(
                name,
                float(both),
                float((at_rest <= NEUTRAL).mean()),
                float(np.percentile(at_rest, 95)),
            )
        )
    return rows


def quiet_share(faces: Sequence[MeasuredFace]) -> float:
    """Return the share of neutral faces on which no shape is stronger than `NEUTRAL`."""
    neutral = [face for face, at_rest in zip(faces, is_neutral(faces), strict=True) if at_rest]
    return float(np.mean([np.nanmax(arkit_shapes(f.fit.expression)) <= NEUTRAL for f in neutral]))


def dead_zones(faces: Sequence[MeasuredFace]) -> dict[str, float]:
    """Return the strength of each expression that 99.5 % of neutral faces do not exceed.

    Both sides of a face have the larger of their values.
    """
    names = face_basis().names
    found = np.array([face.fit.expression for face in faces])[is_neutral(faces)]
    limits = dict(zip(names, np.percentile(found, _DEAD_ZONE, axis=0).tolist(), strict=True))
    mirrored = {name: _other_side(name) for name in names}
    return {name: round(max(limits[name], limits[mirrored[name]]), 2) for name in names}


def is_neutral(faces: Sequence[MeasuredFace]) -> NDArray[np.bool_]:
    """Return (n,) whether each face truly makes no expression."""
    return np.array([not any(face.truth.strengths.values()) for face in faces])


def true_shapes(strengths: dict[str, float]) -> Floats:
    """Return the (52,) true strengths of ARKit's shapes, from those of the model's expressions."""
    known = np.array([strengths.get(name, 0.0) for name in face_basis().names])
    return np.asarray(shape_shares() @ known)


def _other_side(name: str) -> str:
    for ending, other in (("_L", "_R"), ("_R", "_L"), ("Left", "Right"), ("Right", "Left")):
        if name.endswith(ending):
            return name.removesuffix(ending) + other
    return name


def _neutral_identity(person: RandomPerson) -> Identity | None:
    """Return what is known of a person after half a second with a neutral face."""
    identity = None
    for index in range(_NEUTRAL_FRAMES):
        face = person.frame(yaw_deg=_NEUTRAL_YAW_DEG, strength=0.0)
        time_s = index * NEUTRAL_S / _NEUTRAL_FRAMES - _STEP_S
        identity = follow_identity(identity, face.landmarks, CAMERA, time_s, at_rest=True)
    return identity


def _measured(face: RandomFace, identity: Floats) -> MeasuredFace:
    start_s = time.perf_counter()
    fit = fit_face(face.landmarks, CAMERA, identity)
    fit_ms = 1000 * (time.perf_counter() - start_s)
    if fit is None:
        raise ArithmeticError("a random face could not be fitted")
    return MeasuredFace(face, fit, fit_ms)


def _angle_deg(first: Floats, second: Floats) -> float:
    """Return the angle of the rotation from one (3, 3) rotation matrix to another."""
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
