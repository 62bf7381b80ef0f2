"""How exactly head pose, 3D landmarks and expressions are found, on random faces with truth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.face3d.random_faces import CAMERA, RandomPerson
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import follow_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steadymark.engine.bench.face3d.random_faces import RandomFace
    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.engine.face3d.face_fit import FaceFit

LEARNED = 20  # frames of each person that the identity is learned from before any is measured
MEASURED = 30  # frames of each person that are measured; every third is neutral
_NEUTRAL_EVERY = 3
_STEP_S = 0.5  # time between two frames


class MeasuredFace(NamedTuple):
    """A random face and what was found of it."""

    truth: RandomFace
    fit: FaceFit
    rigid_deg: float  # error of the head pose of the rigid mean face, degrees
    fit_ms: float


@dataclass(frozen=True, slots=True)
class ExpressionRow:
    """How an expression is found.

    Attributes:
        name: Its name.
        correlation: Correlation with the truth; NaN if it never occurs.
        neutral_mean: Mean strength on neutral faces.
        neutral_95: 95th percentile of the strength on neutral faces.
    """

    name: str
    correlation: float
    neutral_mean: float
    neutral_95: float


def measure_faces(
    data: Path,
    *,
    people: int,
    yaw_deg: float,
    noise: float,
    seed: int,
    progress: Callable[[int, int], None],
) -> list[MeasuredFace]:
    """Fit random faces of random people, after their identity was learned.

    Args:
        data: The data folder.
        people: Number of people.
        yaw_deg: Largest yaw in degrees.
        noise: Standard deviation of the landmarks' noise in units of the eye distance.
        seed: Seed of all random choices.
        progress: Called with the number of people that are done, and of all.

    Returns:
        The measured faces; `MEASURED` of each person.
    """
    rng = np.random.default_rng(seed)
    found = []
    for number in range(people):
        person = RandomPerson(data, rng, noise=noise)
        identity = None
        for index in range(LEARNED + MEASURED):
            neutral = index % _NEUTRAL_EVERY == 0
            face = person.frame(yaw_deg=yaw_deg, strength=0.0 if neutral else 1.0)
            identity = follow_identity(identity, face.landmarks, CAMERA, index * _STEP_S)
            if index >= LEARNED and identity is not None:
                found.append(_measured(face, identity.used))
        progress(number + 1, people)
    return found


def pose_errors_deg(faces: Sequence[MeasuredFace]) -> Floats:
    """Return the angle between true and fitted rotation of each face, in degrees."""
    return np.array([_angle_deg(face.fit.rotation, face.truth.rotation) for face in faces])


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


def expression_rows(faces: Sequence[MeasuredFace]) -> list[ExpressionRow]:
    """Return a row for each expression that the fit finds."""
    rows = []
    found = np.array([face.fit.expression for face in faces])
    neutral = np.array([not any(face.truth.strengths.values()) for face in faces])
    for place, name in enumerate(face_basis().names):
        truth = np.array([face.truth.strengths.get(name, 0.0) for face in faces])
        values = found[:, place]
        varies = truth.std() > 0 and values.std() > 0
        correlation = float(np.corrcoef(truth, values)[0, 1]) if varies else float("nan")
        at_rest = values[neutral]
        rows.append(
            ExpressionRow(
                name, correlation, float(at_rest.mean()), float(np.percentile(at_rest, 95))
            )
        )
    return rows


def _measured(face: RandomFace, identity: Floats) -> MeasuredFace:
    start_s = time.perf_counter()
    fit = fit_face(face.landmarks, CAMERA, identity)
    fit_ms = 1000 * (time.perf_counter() - start_s)
    rigid = fit_face(face.landmarks, CAMERA, np.zeros_like(identity), neutral=True)
    if fit is None or rigid is None:
        raise ArithmeticError("a random face could not be fitted")
    return MeasuredFace(face, fit, _angle_deg(rigid.rotation, face.rotation), fit_ms)


def _angle_deg(first: Floats, second: Floats) -> float:
    """Return the angle of the rotation from one (3, 3) rotation matrix to another."""
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
