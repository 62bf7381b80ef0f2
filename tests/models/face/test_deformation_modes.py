"""The directions in which faces move: what is beside a similarity, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.models.face.deformation_modes import MODES, face_modes
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

NEUTRAL = load_face_model().neutral[:LANDMARKS, :2]


def columns() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(2K, MODES)."""
    return face_modes(load_schema("ibug68")).reshape(2 * LANDMARKS, MODES).astype(np.float64)


def kept_share(moves: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Of the length of some motion (K, 2), what lies in the modes."""
    flat = moves.ravel()
    return float(np.linalg.norm(columns().T @ flat) / np.linalg.norm(flat))


def test_they_are_orthonormal() -> None:
    np.testing.assert_allclose(columns().T @ columns(), np.eye(MODES), atol=1e-5)


@pytest.mark.parametrize("what", ["to the right", "down", "growth", "a roll"])
def test_no_similarity_is_among_them(what: str) -> None:
    centred = NEUTRAL - NEUTRAL.mean(0)
    moves = {
        "to the right": np.tile((1.0, 0.0), (LANDMARKS, 1)),
        "down": np.tile((0.0, 1.0), (LANDMARKS, 1)),
        "growth": centred,
        "a roll": centred[:, ::-1] * (-1, 1),
    }[what]
    assert kept_share(moves) < 1e-4


def test_expressions_and_turns_are_in_them_and_noise_is_not() -> None:
    rows = load_face_model()
    jaw = rows.expressions["jawOpen"][:LANDMARKS, :2]
    depth = rows.neutral[:LANDMARKS, 2]
    yaw = np.stack((depth - depth.mean(), np.zeros(LANDMARKS)), -1)
    noise = np.random.default_rng(0).normal(0, 1, (LANDMARKS, 2))
    centred = NEUTRAL - NEUTRAL.mean(0)
    basis = np.linalg.qr(
        np.stack(
            [
                np.tile((1.0, 0.0), (LANDMARKS, 1)).ravel(),
                np.tile((0.0, 1.0), (LANDMARKS, 1)).ravel(),
                centred.ravel(),
                (centred[:, ::-1] * (-1, 1)).ravel(),
            ],
            -1,
        )
    )[0]
    for moves in (jaw, yaw):
        flat = moves.ravel()
        besides = (flat - basis @ (basis.T @ flat)).reshape(LANDMARKS, 2)
        assert kept_share(besides) > 0.97
    assert kept_share(noise) < 0.6  # √(24 / 136) = 0.42 of noise


def test_a_schema_that_the_3d_model_lacks_has_none() -> None:
    modes = face_modes(load_schema("wflw98"))
    assert modes.shape == (98, 2, MODES)
    assert not modes.any()
