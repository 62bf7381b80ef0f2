"""Deformation modes of faces: non-rigid motion without similarities."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.models.face.deformation_modes import MODES, face_modes
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

NEUTRAL = load_face_model().neutral[:LANDMARKS, :2]


def mode_columns() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the modes as columns, (2K, MODES)."""
    return face_modes(load_schema()).reshape(2 * LANDMARKS, MODES).astype(np.float64)


def kept_share(moves: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return the share of the length of a motion (K, 2) that the modes contain."""
    flat = moves.ravel()
    return float(np.linalg.norm(mode_columns().T @ flat) / np.linalg.norm(flat))


def test_modes_are_orthonormal() -> None:
    np.testing.assert_allclose(mode_columns().T @ mode_columns(), np.eye(MODES), atol=1e-5)


@pytest.mark.parametrize("name", ["to the right", "down", "growth", "a roll"])
def test_modes_contain_no_similarity(name: str) -> None:
    centred = NEUTRAL - NEUTRAL.mean(0)
    moves = {
        "to the right": np.tile((1.0, 0.0), (LANDMARKS, 1)),
        "down": np.tile((0.0, 1.0), (LANDMARKS, 1)),
        "growth": centred,
        "a roll": centred[:, ::-1] * (-1, 1),
    }[name]
    assert kept_share(moves) < 1e-4


def test_modes_contain_expressions_and_turns_and_little_noise() -> None:
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
        non_rigid = (flat - basis @ (basis.T @ flat)).reshape(LANDMARKS, 2)
        assert kept_share(non_rigid) > 0.97
    assert kept_share(noise) < 0.6  # √(24 / 136) = 0.42 of noise


def test_a_schema_without_a_3d_model_has_zero_modes() -> None:
    modes = face_modes(load_schema("wflw98"))
    assert modes.shape == (98, 2, MODES)
    assert not modes.any()
