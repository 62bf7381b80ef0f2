"""What a tracker learns of a person's 3D face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import Identity, follow_identity, identities_of_rows

if TYPE_CHECKING:
    from steadymark.engine.face3d.face_basis import Floats

CAMERA = Intrinsics(640, 480)
BASIS = face_basis()
PERSON = np.zeros(len(BASIS.identity))
PERSON[:4] = 2.0, -1.5, 1.0, 1.5
SHAPE = BASIS.neutral + np.tensordot(PERSON, BASIS.identity, 1)


def frame(index: int) -> Landmarks:
    """Return the person's landmarks, who looks around."""
    angles = (0.15 * np.sin(index), 0.5 * np.cos(0.7 * index), 0.1 * np.sin(2 * index))
    pose = HeadPose((0.0, 0.0, 600.0), angles, CAMERA)
    noise = np.random.default_rng(index).normal(0, 0.3, (68, 2))
    return Landmarks((pose.project(SHAPE) + noise).astype(np.float32), np.ones(68, np.float32))


def after(frames: int, step_s: float) -> Identity:
    identity = None
    for index in range(frames):
        identity = follow_identity(identity, frame(index), CAMERA, step_s * index)
    assert identity is not None
    return identity


def error_mm(used: Floats) -> float:
    shape = BASIS.neutral + np.tensordot(used, BASIS.identity, 1)
    return float(np.linalg.norm((shape - SHAPE)[17:], axis=1).mean())


def test_the_identity_becomes_more_exact_with_time() -> None:
    unknown, early, late = error_mm(0 * PERSON), after(1, 0.5), after(40, 0.5)
    assert error_mm(early.used) < 0.8 * unknown
    assert error_mm(late.used) < 0.75 * error_mm(early.used)
    assert late.frames == 40


def test_frames_that_follow_closely_are_not_learned_from() -> None:
    assert after(30, 1 / 30).frames == 2
    assert after(61, 1 / 30).frames == 5


def test_the_identity_in_use_changes_smoothly() -> None:
    identity, steps = after(1, 1 / 30), []
    for index in range(1, 60):
        following = follow_identity(identity, frame(index), CAMERA, index / 30)
        assert following is not None
        steps.append(float(np.abs(following.used - identity.used).max()))
        identity = following
    jump = np.abs(identity.known.mean - after(1, 1 / 30).used).max()
    assert 0 < max(steps) < 0.2 * jump


def test_a_face_that_cannot_be_fitted_teaches_nothing() -> None:
    dot = Landmarks(np.full((68, 2), 7, np.float32), np.ones(68, np.float32))
    assert follow_identity(None, dot, CAMERA, 0.0) is None
    known = after(3, 0.5)
    assert follow_identity(known, dot, CAMERA, 5.0) is known


def test_rows_of_a_table_have_the_identities_that_the_tracker_used() -> None:
    faces = [(index, face) for index in range(12) for face in (0, 3)]
    raw = np.stack([frame(index + 50 * face).xy_px for index, face in faces])
    raw[9] = np.nan
    restarts = np.zeros(len(faces), np.bool_)
    restarts[[0, 1, 14]] = True
    found = identities_of_rows(
        np.array([face for _, face in faces]),
        raw,
        np.full((len(faces), 68), np.nan, np.float32),
        np.array([0.3 * index for index, _ in faces]),
        restarts,
        CAMERA,
    )
    assert found[9] is None
    expected: dict[int, Identity | None] = {0: None, 3: None}
    for row, (index, face) in enumerate(faces):
        if row == 9:
            expected[face] = None
            continue
        before = None if restarts[row] else expected[face]
        points = Landmarks(raw[row], np.ones(68, np.float32))
        expected[face] = follow_identity(before, points, CAMERA, 0.3 * index)
        known, used = expected[face], found[row]
        assert known is not None
        assert used is not None
        np.testing.assert_array_equal(used, known.used)


def neutral_or_smiling(index: int, *, smiles: bool) -> Landmarks:
    """Return the person's landmarks, who may smile with an open mouth all the time."""
    names = ("mouthSmile_L", "mouthSmile_R", "jawOpen")
    made = sum(BASIS.expressions[BASIS.names.index(name)] for name in names)
    angles = (0.1 * np.sin(index), 0.2 * np.cos(0.7 * index), 0.0)
    pose = HeadPose((0.0, 0.0, 600.0), angles, CAMERA)
    shape = SHAPE + 0.4 * smiles * made
    return Landmarks(pose.project(shape).astype(np.float32), np.ones(68, np.float32))


def test_a_face_that_is_called_neutral_has_no_expressions_from_then_on() -> None:
    identity = None
    for index in range(20):
        points = neutral_or_smiling(index, smiles=True)
        identity = follow_identity(identity, points, CAMERA, 0.5 * index)
    for index in range(5):
        points = neutral_or_smiling(index, smiles=True)
        identity = follow_identity(identity, points, CAMERA, 10 + 0.1 * index, at_rest=True)
    assert identity is not None
    assert identity.at_rest
    assert identity.frames == 5  # what was learned before is forgotten
    points = neutral_or_smiling(3, smiles=True)
    fit = fit_face(points, CAMERA, identity.known.mean)
    assert fit is not None
    assert fit.expression.max() < 0.15
    free = fit_face(points, CAMERA, PERSON)
    assert free is not None
    assert free.expression.max() > 0.3


def test_rows_of_a_neutral_face_make_the_identity_known_from_the_first_row_on() -> None:
    raw = np.stack([neutral_or_smiling(i, smiles=i < 30).xy_px for i in range(60)])
    at_rest = np.zeros(60, np.bool_)
    at_rest[40:50] = True
    numbers, scores = np.zeros(60, np.int64), np.ones((60, 68), np.float32)
    times_s, restarts = 0.1 * np.arange(60, dtype=np.float64), np.arange(60) == 0
    without = identities_of_rows(numbers, raw, scores, times_s, restarts, CAMERA)[0]
    known = identities_of_rows(numbers, raw, scores, times_s, restarts, CAMERA, at_rest)[0]
    assert without is not None
    assert known is not None
    assert error_mm(known) < 0.8 * error_mm(without)
