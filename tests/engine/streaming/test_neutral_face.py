"""Expression features are relative to the person's neutral face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.neutral_face import MOST_QUIET, NeutralFace
from steadymark.engine.streaming.openseeface_features import openness
from support.fakes.stream_receivers import posed_face

FPS = 30
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
LOWER_LIP = [65, 66, 67, 56, 57, 58]


def narrow(share: float = 0.7) -> np.ndarray:
    """Return the mean face with eyes that are open by this share; 0 is closed."""
    face = mean_face().copy()
    middle = (face[UPPER_LIDS] + face[LOWER_LIDS]) / 2
    for lids in (UPPER_LIDS, LOWER_LIDS):
        face[lids] = middle + share * (face[lids] - middle)
    return face


def play(
    neutral: NeutralFace,
    solid: np.ndarray,
    seconds: float,
    *,
    begin_s: float = 0.0,
    yaw: float = 0.0,
    face_id: int = 0,
) -> dict[str, float]:
    """Show a still face for some seconds; return the features of the last frame."""
    found: dict[str, float] | None = None
    rng = np.random.default_rng(0)
    for i in range(round(seconds * FPS)):
        shaken = solid + rng.normal(0, 0.05, solid.shape)
        face = replace(posed_face((0.0, yaw, 0.0), solid=shaken), face_id=face_id)
        found = neutral.features(face, begin_s + i / FPS)
    assert found is not None
    return found


def test_the_features_of_a_quiet_face_become_0_and_a_blink_still_closes_the_eyes() -> None:
    neutral = NeutralFace()
    first = play(neutral, narrow(), 1 / FPS)
    assert openness(first["eye_l"]) < 0.75
    rested = play(neutral, narrow(), 5.0)
    assert max(map(abs, rested.values())) < 0.05
    closed = play(neutral, narrow(0.25), 0.1, begin_s=5.0)
    assert openness(closed["eye_l"]) < 0.05


def test_a_long_expression_does_not_become_the_neutral_face() -> None:
    neutral = NeutralFace()
    play(neutral, mean_face(), MOST_QUIET / FPS + 2)
    opened = mean_face().copy()
    opened[LOWER_LIP, 1] += 15
    held = play(neutral, opened, 20.0, begin_s=20.0)
    assert held["mouth_open"] > 0.5


def test_turned_faces_are_not_taken_as_neutral() -> None:
    neutral = NeutralFace()
    play(neutral, narrow(), 5.0, yaw=0.7)
    assert neutral.rest == NeutralFace().rest


def test_the_user_chooses_the_neutral_face_and_it_stays() -> None:
    neutral = NeutralFace()
    play(neutral, mean_face(), 15.0)
    neutral.choose_next()
    chosen = play(neutral, narrow(), 4.0, begin_s=15.0)
    assert max(map(abs, chosen.values())) < 0.05
    wide = play(neutral, mean_face(), 20.0, begin_s=19.0)
    assert wide["eye_l"] > 0.2


def test_another_person_begins_with_the_mean_face() -> None:
    neutral = NeutralFace()
    play(neutral, narrow(), 5.0)
    other = play(neutral, narrow(), 1 / FPS, begin_s=5.0, face_id=1)
    assert openness(other["eye_l"]) < 0.75


def test_values_that_cannot_be_measured_are_0_and_are_not_learnt() -> None:
    neutral = NeutralFace()
    flat = mean_face().copy()
    flat[[36, 39]] = flat[36]
    found = play(neutral, flat, 3.0)
    assert all(np.isfinite(value) for value in found.values())
    assert found["eye_r"] == pytest.approx(0, abs=1)
