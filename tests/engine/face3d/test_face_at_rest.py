"""What the whole recording tells of a person's 3D face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.engine.face3d.face_at_rest import identities_of_recording, is_of_recording
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import identities_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.face3d.face_basis import Floats

CAMERA = Intrinsics(640, 480)
BASIS = face_basis()
FRAMES, FROWNING = 24, 6  # half a second apart


def frowning_at_first() -> NDArray[np.float32]:
    """Return the (24, 68, 2) landmarks of an average face that frowns for the first 3 s."""
    frown = sum(BASIS.expressions[BASIS.names.index(f"browDown_{side}")] for side in "LR")
    seen = []
    for index in range(FRAMES):
        angles = (0.1 * np.sin(index), 0.3 * np.cos(0.7 * index), 0.0)
        pose = HeadPose((0.0, 0.0, 600.0), angles, CAMERA)
        seen.append(pose.project(BASIS.neutral + (index < FROWNING) * frown))
    return np.array(seen, np.float32)


def identities(raw: NDArray[np.float32], at_rest: NDArray[np.bool_] | None = None) -> list[Floats]:
    count = len(raw)
    numbers, scores = np.zeros(count, np.int64), np.ones((count, 68), np.float32)
    times_s = 0.5 * np.arange(count, dtype=np.float64)
    found = identities_of_recording(numbers, raw, scores, times_s, CAMERA, at_rest)
    return [each for each in found if each is not None]


def frown_in(xy: NDArray[np.float32], identity: Floats) -> float:
    fit = fit_face(Landmarks(xy, np.ones(68, np.float32)), CAMERA, identity)
    assert fit is not None
    return float(fit.expression[BASIS.names.index("browDown_L")])


def test_a_frown_in_the_first_seconds_is_not_the_face_at_rest() -> None:
    raw = frowning_at_first()
    known = identities(raw)
    assert len(known) == FRAMES
    assert all(each is known[0] for each in known)
    numbers, scores = np.zeros(FRAMES, np.int64), np.ones((FRAMES, 68), np.float32)
    times_s, restarts = 0.5 * np.arange(FRAMES, dtype=np.float64), np.arange(FRAMES) == 0
    live = identities_of_rows(numbers, raw, scores, times_s, restarts, CAMERA)
    assert live[2] is not None
    assert frown_in(raw[2], known[2]) > frown_in(raw[2], live[2]) + 0.1
    assert frown_in(raw[-1], known[-1]) < 0.1


def test_rows_need_not_be_in_the_order_of_time() -> None:
    raw, order = frowning_at_first(), np.random.default_rng(0).permutation(FRAMES)
    numbers, scores = np.zeros(FRAMES, np.int64), np.ones((FRAMES, 68), np.float32)
    times_s = 0.5 * order.astype(np.float64)
    mixed = identities_of_recording(numbers, raw[order], scores, times_s, CAMERA)[0]
    assert mixed is not None
    np.testing.assert_array_equal(mixed, identities(raw)[0])


def test_a_known_neutral_face_counts_more_than_the_recording() -> None:
    raw, at_rest = frowning_at_first(), np.zeros(FRAMES, np.bool_)
    at_rest[:5] = True  # The user takes the frown for the neutral face.
    chosen, found = identities(raw, at_rest)[0], identities(raw)[0]
    assert frown_in(raw[0], chosen) < 0.8 * frown_in(raw[0], found)


def test_a_face_that_cannot_be_fitted_has_no_identity() -> None:
    assert identities(np.full((3, 68, 2), 7, np.float32)) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"face_at_rest": "recording"}, True),
        ({"model": "heatmap1d-lite"}, False),
        ({}, True),
        (None, True),
    ],
)
def test_a_table_tells_whether_its_faces_are_those_of_the_recording(
    settings: object, *, expected: bool
) -> None:
    assert is_of_recording(settings) is expected
